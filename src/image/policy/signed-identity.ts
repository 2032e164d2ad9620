/**
 * Does the name that a signature was made for mean the image that is asked for? (containers-policy.json(5), signedIdentity.)
 *
 * Signatures of cosign name a repository and no tag, so only matchRepository and exactRepository accept them; those of podman, skopeo and
 * `cosign sign --sign-container-identity` name all of it.
 */
import {
  DEFAULT_REGISTRY,
  type ParsedName,
  parseName,
  qualifyName,
  type Reference,
  repositoryName,
} from '../../spec/reference.ts';
import { isJsonObject, type Json } from '../../spec/strict-json.ts';

export type SignedIdentity =
  | { type: 'matchExact' | 'matchRepoDigestOrExact' | 'matchRepository' }
  | { type: 'exactReference'; dockerReference: string }
  | { type: 'exactRepository'; dockerRepository: string }
  | { type: 'remapIdentity'; prefix: string; signedPrefix: string };

/** A name in full: registry and repository; and that with the tag and digest that were written, without a default. */
interface FullName {
  repository: string;
  whole: string;
  /** Neither tag nor digest was written. */
  isBare: boolean;
  hasTag: boolean;
}

function fullName(text: string): FullName | undefined {
  let name: ParsedName;
  try {
    if (text.startsWith('docker://')) return undefined;
    name = parseName(text);
  } catch {
    return undefined;
  }
  const repository = repositoryName(qualifyName(name, DEFAULT_REGISTRY));
  const { tag, digest } = name;
  const whole = `${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
  return { repository, whole, isBare: tag === undefined && digest === undefined, hasTag: tag !== undefined };
}

/** `host[:port]`, or that and parts of a repository. */
const PREFIX = /^[^\s/@]+(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** @param refuse makes the error for a problem. @param json undefined: what the manual says holds then */
export function parseIdentityRule(
  json: Json | undefined,
  refuse: (problem: string) => Error,
): SignedIdentity {
  if (json === undefined) return { type: 'matchRepoDigestOrExact' };
  if (!isJsonObject(json)) throw refuse('it is not an object');
  const fields = (...names: string[]): string[] => {
    const given = Object.keys(json).filter((key) => key !== 'type');
    const odd = given.find((key) => !names.includes(key));
    if (odd !== undefined) throw refuse(`"${odd}" is not one of its fields`);
    return names.map((name) => {
      const value = json[name];
      if (typeof value !== 'string') throw refuse(`${name} is missing, or no text`);
      return value;
    });
  };
  switch (json.type) {
    case 'matchExact':
    case 'matchRepoDigestOrExact':
    case 'matchRepository':
      fields();
      return { type: json.type };
    case 'exactReference': {
      const [dockerReference = ''] = fields('dockerReference');
      if (fullName(dockerReference)?.isBare !== false)
        throw refuse(`dockerReference ${JSON.stringify(dockerReference)} is no name with a tag or digest`);
      return { type: json.type, dockerReference };
    }
    case 'exactRepository': {
      const [dockerRepository = ''] = fields('dockerRepository');
      if (fullName(dockerRepository)?.isBare !== true)
        throw refuse(`dockerRepository ${JSON.stringify(dockerRepository)} is no name without a tag`);
      return { type: json.type, dockerRepository };
    }
    case 'remapIdentity': {
      const [prefix = '', signedPrefix = ''] = fields('prefix', 'signedPrefix');
      const bad = [prefix, signedPrefix].find((each) => !PREFIX.test(each));
      if (bad !== undefined)
        throw refuse(`${JSON.stringify(bad)} is no host, namespace or repository in full`);
      return { type: json.type, prefix, signedPrefix };
    }
    default:
      throw refuse(`there is no type ${JSON.stringify(json.type)}`);
  }
}

/** @param image the name that was asked for; undefined where images have none (a directory). @param signed what the signature says */
export function matchesIdentity(rule: SignedIdentity, image: Reference | undefined, signed: string): boolean {
  const signature = fullName(signed);
  if (signature === undefined) return false;
  const own = image === undefined ? undefined : nameOf(image);
  switch (rule.type) {
    case 'matchExact':
      return own !== undefined && !signature.isBare && signature.whole === own.whole;
    case 'matchRepoDigestOrExact':
      return own !== undefined && isRepoDigestOrExact(own, signature);
    case 'matchRepository':
      return own?.repository === signature.repository;
    case 'exactReference':
      return !signature.isBare && signature.whole === fullName(rule.dockerReference)?.whole;
    case 'exactRepository':
      return signature.repository === fullName(rule.dockerRepository)?.repository;
    case 'remapIdentity': {
      const mapped = own && remap(own, rule.prefix, rule.signedPrefix);
      return mapped !== undefined && isRepoDigestOrExact(mapped, signature);
    }
  }
}

const nameOf = (image: Reference): FullName => {
  const repository = repositoryName(image);
  const suffix = image.digest === undefined ? `:${image.tag}` : `@${image.digest}`;
  return { repository, whole: `${repository}${suffix}`, isBare: false, hasTag: image.digest === undefined };
};

/** An image that is named by digest is that of the digest already; which tag the signer gave it, is all the same. */
const isRepoDigestOrExact = (own: FullName, signature: FullName): boolean =>
  !signature.isBare && (own.hasTag ? signature.whole === own.whole : signature.repository === own.repository);

function remap(own: FullName, prefix: string, signedPrefix: string): FullName | undefined {
  const { repository, whole } = own;
  const isInside = repository === prefix || repository.startsWith(`${prefix}/`);
  return isInside ? fullName(`${signedPrefix}${whole.slice(prefix.length)}`) : own;
}
