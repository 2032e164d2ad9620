/**
 * Image references: `[registry[:port]/]path[:tag][@digest]`, the grammar of the distribution project.
 *
 * A *short name* is one without a registry (`httpd`, `team/app`): the first component is a registry only if it holds a dot or
 * a colon, has an uppercase letter, or is `localhost`. With a digest the tag says nothing more and is dropped.
 */
import { tsrunError } from '../errors.ts';
import { isDigest } from './digest.ts';
import type { Digest } from './image.ts';

export const DEFAULT_REGISTRY = 'docker.io';
export const DEFAULT_TAG = 'latest';

/** What was written, taken apart, before any default is filled in. */
export interface ParsedName {
  registry: string | undefined;
  path: string;
  tag: string | undefined;
  digest: Digest | undefined;
}

/** A full reference. Exactly one of tag and digest is set. */
export type Reference = { registry: string; repository: string } & (
  | { tag: string; digest?: undefined }
  | { tag?: undefined; digest: Digest }
);

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?$`);
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const MAX_NAME_LENGTH = 255;
const MAX_PORT = 65535;

function looksLikeRegistry(component: string): boolean {
  return /[.:]/.test(component) || component === 'localhost' || component !== component.toLowerCase();
}

/** A host, with or without a port that a TCP connection can have. */
export function isRegistry(text: string): boolean {
  const port = /:(\d+)$/.exec(text)?.[1];
  return REGISTRY.test(text) && Number(port ?? 0) <= MAX_PORT;
}

function checkPath(text: string, path: string): void {
  if (path === '') throw tsrunError('ERR_TSRUN_REFERENCE', { text, problem: 'it has no repository' });
  if (path !== path.toLowerCase()) {
    throw tsrunError('ERR_TSRUN_REFERENCE', {
      text,
      problem: 'a repository is written in lowercase',
      suggestion: text.replace(path, path.toLowerCase()),
    });
  }
  if (!PATH.test(path)) {
    const problem = `"${path}" may only hold a-z, 0-9, and single . _ - between them, in parts separated by /`;
    throw tsrunError('ERR_TSRUN_REFERENCE', { text, problem });
  }
  if (/^(?:[0-9a-f]{64}){1,2}$/.test(path)) {
    throw tsrunError('ERR_TSRUN_REFERENCE', {
      text,
      problem: `${path.length} hexadecimal digits are an image id`,
    });
  }
}

/** Takes digest and tag off the end of `text`. */
function splitSuffixes(text: string): { name: string; tag: string | undefined; digest: Digest | undefined } {
  let name = text;
  let digest: Digest | undefined;
  const at = name.indexOf('@');
  if (at !== -1) {
    const written = name.slice(at + 1);
    if (!isDigest(written)) {
      const problem = `"${written}" is not a digest (sha256: and 64 hexadecimal digits, or sha512: and 128)`;
      throw tsrunError('ERR_TSRUN_REFERENCE', { text, problem });
    }
    digest = written;
    name = name.slice(0, at);
  }
  const colon = name.lastIndexOf(':');
  // A colon before the last slash belongs to the registry's port.
  if (colon === -1 || name.indexOf('/', colon) !== -1) return { name, tag: undefined, digest };
  const tag = name.slice(colon + 1);
  if (!TAG.test(tag)) {
    const problem = `"${tag}" is not a tag (at most 128 of A-Z a-z 0-9 _ . -, not starting with . or -)`;
    throw tsrunError('ERR_TSRUN_REFERENCE', { text, problem });
  }
  return { name: name.slice(0, colon), tag, digest };
}

/** Stores of other engines, which podman's transports name: they read them, and we do not. */
const OTHER_STORES = /^(?:(docker)-daemon|(containers)-storage):/;

/** Whose store `text` names. */
export function otherEngine(text: string): 'docker' | 'podman' | undefined {
  const [place, docker] = OTHER_STORES.exec(text) ?? [];
  return place === undefined ? undefined : docker === undefined ? 'podman' : 'docker';
}

/** Throws ERR_TSRUN_REFERENCE for what would otherwise be an image of that name with a tag. */
function refuseOtherStores(text: string): void {
  const engine = otherEngine(text);
  if (engine === undefined) return;
  const [place] = text.split(':');
  const problem = `${place}: is the store of ${engine}, which tsrun neither reads nor writes: ${engine} save IMAGE | tsrun load, or tsrun save IMAGE | ${engine} load`;
  throw tsrunError('ERR_TSRUN_REFERENCE', { text, problem });
}

/** Takes a name apart without filling in defaults. A leading `docker://` is allowed. Throws ERR_TSRUN_REFERENCE. */
export function parseName(written: string): ParsedName {
  const text = written.startsWith('docker://') ? written.slice('docker://'.length) : written;
  refuseOtherStores(text);
  const { name, tag, digest } = splitSuffixes(text);
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const hasRegistry = slash !== -1 && looksLikeRegistry(first);
  const registry = hasRegistry ? (first === 'index.docker.io' ? DEFAULT_REGISTRY : first) : undefined;
  const path = hasRegistry ? name.slice(slash + 1) : name;
  if (registry !== undefined && !isRegistry(registry)) {
    const [, suggestion] = /^\w+:\/\/(.+)/.exec(written) ?? []; // an address as a browser shows it
    throw tsrunError('ERR_TSRUN_REFERENCE', {
      text,
      problem: `"${registry}" is not a host[:port]`,
      suggestion: suggestion?.replace(/\/$/, ''),
    });
  }
  checkPath(text, path);
  if ((registry?.length ?? 0) + path.length > MAX_NAME_LENGTH) {
    throw tsrunError('ERR_TSRUN_REFERENCE', {
      text,
      problem: `it is longer than ${MAX_NAME_LENGTH} characters`,
    });
  }
  return { registry, path, tag, digest };
}

/** The full reference of a name in `registry`, which counts only for short names. `docker.io/httpd` is `docker.io/library/httpd`. */
export function qualifyName(name: ParsedName, registry: string): Reference {
  const host = name.registry ?? registry;
  const repository =
    host === DEFAULT_REGISTRY && !name.path.includes('/') ? `library/${name.path}` : name.path;
  if (name.digest !== undefined) return { registry: host, repository, digest: name.digest };
  return { registry: host, repository, tag: name.tag ?? DEFAULT_TAG };
}

/** The full reference that `text` means when nothing but the built-in defaults is known. Throws ERR_TSRUN_REFERENCE. */
export function parseReference(text: string): Reference {
  return qualifyName(parseName(text), DEFAULT_REGISTRY);
}

/** `docker.io/library/httpd` */
export function repositoryName(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}

/** `docker.io/library/httpd:latest` or `docker.io/library/httpd@sha256:…` */
export function formatReference(reference: Reference): string {
  const suffix = reference.digest === undefined ? `:${reference.tag}` : `@${reference.digest}`;
  return `${repositoryName(reference)}${suffix}`;
}
