/**
 * May this image be used? Asked when an image comes in (pull, load, copy, import), after its manifest is known and before anything of it is
 * kept; what is in the store already has been asked for. As in containers/image,
 *
 *  - of all that the policy says, the most exact scope counts, and all its requirements must be met;
 *  - what must be signed is the manifest of the platform, not the index that led to it (`cosign sign --recursive` signs both);
 *  - one good signature is enough, and what cannot be read is none.
 */
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tsrunError } from '../../errors.ts';
import type { Digest } from '../../spec/image.ts';
import type { Policy, Requirement } from './policy-document.ts';
import { readPolicy } from './read-policy.ts';
import { identityName, type PolicyIdentity, scopesOf } from './scopes.ts';
import { matchesIdentity } from './signed-identity.ts';
import {
  type FoundSignature,
  isAbout,
  parsePublicKey,
  SIGNATURE_TYPE,
  verifySignature,
} from './sigstore-signature.ts';

/** The signatures that are said to be of a manifest, and why there may be none. */
export interface FoundSignatures {
  signatures: FoundSignature[];
  /** For the message when a signature is wanted and there is none. */
  whyNone?: string | undefined;
}

/** Where an image is. */
export interface ImagePlace {
  identity: PolicyIdentity;
  /** Asked only if a signature is wanted; absent where images carry none. */
  signatures?: ((manifestDigest: Digest) => Promise<FoundSignatures>) | undefined;
}

interface Candidate extends ImagePlace {
  manifestDigest: Digest;
}

/** May an image with this manifest be used? @throws ERR_TSRUN_POLICY_REFUSED, and what {@link admission} says */
export type Admission = (manifestDigest: Digest) => Promise<void>;

export interface PolicyChoice {
  /** --signature-policy */
  file?: string | undefined;
  environment?: NodeJS.ProcessEnv | undefined;
}

/**
 * What decides on the images of a place. The policy is read once, when it is first asked.
 * Its answer throws ERR_TSRUN_POLICY for a policy (or a key) that cannot be read, ERR_TSRUN_POLICY_REFUSED, and what `signatures` throws.
 */
export function admission(place: ImagePlace, choice: PolicyChoice): Admission {
  let read: { policy: Policy | undefined } | undefined;
  return async (manifestDigest) => {
    read ??= { policy: readPolicy(choice.file, choice.environment ?? process.env) };
    if (read.policy !== undefined) await admit({ ...place, manifestDigest }, read.policy);
  };
}

async function admit(candidate: Candidate, policy: Policy): Promise<void> {
  const { scope, requirements } = requirementsFor(policy, candidate.identity);
  for (const requirement of requirements) {
    const problem = await problemOf(requirement, candidate, policy);
    if (problem === undefined) continue;
    const image = identityName(candidate.identity);
    throw tsrunError('ERR_TSRUN_POLICY_REFUSED', { image, file: policy.file, scope, problem });
  }
}

/** The requirements of the most exact scope that the policy has, and how messages call that scope. */
function requirementsFor(
  policy: Policy,
  identity: PolicyIdentity,
): { scope: string; requirements: Requirement[] } {
  const { transport } = identity;
  for (const scope of scopesOf(identity)) {
    const requirements = policy.transports.get(transport)?.get(scope);
    if (requirements) return { scope: scope === '' ? `all of ${transport}` : scope, requirements };
  }
  return { scope: 'default', requirements: policy.default };
}

/** Why the requirement is not met; undefined when it is. */
async function problemOf(
  requirement: Requirement,
  candidate: Candidate,
  policy: Policy,
): Promise<string | undefined> {
  switch (requirement.type) {
    case 'insecureAcceptAnything':
      return undefined;
    case 'reject':
      return 'it rejects all of them';
    case 'unsupported':
      return `it wants ${requirement.what}, which tsrun cannot verify`;
    case 'sigstoreSigned':
      return await signatureProblem(requirement, candidate, policy);
  }
}

type Signed = Extract<Requirement, { type: 'sigstoreSigned' }>;

function keysOf(requirement: Signed, policy: Policy): KeyObject[] {
  const read = (source: string, text: () => string): KeyObject => {
    try {
      return parsePublicKey(text());
    } catch (error) {
      const problem = `it wants signatures by ${source}, which is no key that can be used`;
      throw tsrunError('ERR_TSRUN_POLICY', { file: policy.file, problem }, error);
    }
  };
  return [
    ...requirement.keyPaths.map((path) => read(path, () => readFileSync(path, 'utf8'))),
    ...requirement.keyTexts.map((text) => read('a key of its own', () => text)),
  ];
}

async function signatureProblem(
  requirement: Signed,
  candidate: Candidate,
  policy: Policy,
): Promise<string | undefined> {
  const keys = keysOf(requirement, policy);
  const found: FoundSignatures = (await candidate.signatures?.(candidate.manifestDigest)) ?? {
    signatures: [],
    whyNone: `images of ${candidate.identity.transport}: carry none`,
  };
  const ours = found.signatures.filter(({ mediaType }) => mediaType === SIGNATURE_TYPE);
  const problems = ours.map((each) => problemWith(each, keys, requirement, candidate));
  if (problems.includes(undefined)) return undefined;
  if (problems.length === 0)
    return `it wants a signature of ${candidate.manifestDigest}, and there is none${found.whyNone === undefined ? '' : ` (${found.whyNone})`}`;
  return `it wants a good signature of ${candidate.manifestDigest}, and none is: ${[...new Set(problems)].join('; ')}`;
}

function problemWith(
  signature: FoundSignature,
  keys: readonly KeyObject[],
  requirement: Signed,
  { identity, manifestDigest }: Candidate,
): string | undefined {
  try {
    const claim = verifySignature(signature, keys);
    if (!isAbout(claim, manifestDigest)) return `one is of ${claim.manifestDigest}`;
    const reference = identity.transport === 'docker' ? identity.reference : undefined;
    if (matchesIdentity(requirement.signedIdentity, reference, claim.identity)) return undefined;
    return `one is for ${JSON.stringify(claim.identity)}, which ${requirement.signedIdentity.type} does not take for it`;
  } catch (error) {
    return `one cannot be used: ${(error as Error).message}`;
  }
}
