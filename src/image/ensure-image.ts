/**
 * The image that a user's word means, pulled if the policy says so. When the image is in the store and may be used as it is,
 * this takes one or two small files, and loads nothing of the registry client.
 */
import { TsrunError, tsrunError } from '../errors.ts';
import {
  DEFAULT_REGISTRY,
  formatReference,
  parseName,
  parseReference,
  qualifyName,
  type Reference,
} from '../spec/reference.ts';
import { isWholeId } from '../store/image-names.ts';
import { type ImageRecord, isDangling } from '../store/image-record.ts';
import { ImageStore } from '../store/images.ts';
import { loadFromNodesCache } from '../sys/v8-flags.ts';
import type { PullListener } from './pull/events.ts';
import type { PullOptions, PullResult } from './pull/pull-image.ts';
import { REGISTRY_FAILURES } from './registry-failures.ts';
import { servesPlatform } from './serves-platform.ts';

export interface EnsureOptions extends Omit<PullOptions, 'reference'> {
  /** As the user wrote it: a full or short name, an id, the beginning of an id. */
  name: string;
  /** `newer` asks the registry, and makes do with the store when it does not answer. */
  policy: 'always' | 'missing' | 'never' | 'newer';
  /** Where short names are looked for, in this order, instead of what registries.conf says. */
  searchRegistries?: readonly string[];
  /** A short name means the registry's image even if the store has one of the same path from elsewhere: `tsrun pull`. */
  ignoreStoreForShortNames?: boolean;
}

/** Refuses a name that could mean several images; an id means one. Throws ERR_TSRUN_SHORT_NAME, ERR_TSRUN_REFERENCE. */
export function requireFullName(name: string): void {
  if (isWholeId(name) || parseName(name).registry !== undefined) return;
  throw tsrunError('ERR_TSRUN_SHORT_NAME', { name, strict: true });
}

/** Failures after which another registry, or with `newer` the store, may do. */
const ELSEWHERE = new Set<string>([...REGISTRY_FAILURES, 'ERR_TSRUN_REGISTRY_BLOCKED']);

function mayBeElsewhere(error: unknown): error is TsrunError {
  return error instanceof TsrunError && ELSEWHERE.has(error.code);
}

/** The references to ask registries for, in their order. Throws ERR_TSRUN_REFERENCE, ERR_TSRUN_IMAGE_NOT_LOCAL, ERR_TSRUN_SHORT_NAME. */
async function candidates(options: EnsureOptions, local: ImageRecord | undefined): Promise<Reference[]> {
  if (isWholeId(options.name) && local === undefined) {
    throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: options.name });
  }
  const isShort = isWholeId(options.name) || parseName(options.name).registry === undefined;
  if (isShort && local !== undefined && !isDangling(local) && options.ignoreStoreForShortNames !== true) {
    const reference = parseReference(local.reference);
    if (reference.registry !== 'localhost') return [reference];
  }
  const name = parseName(options.name);
  if (name.registry !== undefined) return [qualifyName(name, name.registry)];
  if (options.searchRegistries !== undefined)
    return options.searchRegistries.map((registry) => qualifyName(name, registry));
  const { resolveShortName } = await import('./short-names.ts');
  return await resolveShortName(name, options.environment ?? process.env);
}

/** A name that was not written in full is shown in full, once. */
function tellResolution(options: EnsureOptions, reference: string): void {
  const written = options.name;
  if (isWholeId(written) || parseName(written).registry !== undefined) return;
  options.onEvent?.({ type: 'resolved', written, reference });
}

async function pullFirst(options: EnsureOptions, references: Reference[]): Promise<PullResult> {
  loadFromNodesCache(['net', 'stream/consumers']);
  try {
    return await pullFromAny(options, references);
  } finally {
    await options.unpacker.close();
  }
}

async function pullFromAny(options: EnsureOptions, references: Reference[]): Promise<PullResult> {
  const { pullImage, reasonOf } = await import('./pull/pull-image.ts');
  let failure: TsrunError | undefined;
  for (const reference of references) {
    tellResolution(options, formatReference(reference));
    try {
      return await pullImage({ ...options, reference });
    } catch (error) {
      if (!mayBeElsewhere(error)) throw error;
      failure ??= error;
      const isLast = reference === references.at(-1);
      if (isLast && references.length === 1) break;
      // Of several the first one's failure is the command's: what the last one said is told here or not at all.
      const text = `${formatReference(reference)} will not do: ${reasonOf(error)}${isLast ? '' : '; trying the next'}`;
      options.onEvent?.({ type: 'warning', text });
    }
  }
  throw failure ?? tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: options.name });
}

/** The image of the store, if it is whole and for the platform that was asked for. */
function usable(
  store: ImageStore,
  local: ImageRecord | undefined,
  options: EnsureOptions,
): ImageRecord | undefined {
  if (local === undefined || store.missingParts(local).length > 0) return undefined;
  return options.platform === undefined || servesPlatform(local, options.platform) ? local : undefined;
}

/** An image of the store that the name written means only by an alias. */
function findAliased(
  store: ImageStore,
  references: readonly Reference[],
  options: EnsureOptions,
): ImageRecord | undefined {
  for (const reference of references) {
    const ready = usable(store, store.read(formatReference(reference)), options);
    if (ready !== undefined) return ready;
  }
  return undefined;
}

/**
 * What the store has by that name. Several images that end alike are no answer, but no obstacle either: an alias or a search registry may
 * say which is meant, and `tsrun pull` asks for none of them.
 */
function look(store: ImageStore, name: string): { local?: ImageRecord | undefined; ambiguity?: TsrunError } {
  try {
    return { local: store.resolve(name) };
  } catch (error) {
    if (error instanceof TsrunError && error.code === 'ERR_TSRUN_IMAGE_AMBIGUOUS' && !isWholeId(name))
      return { ambiguity: error };
    throw error;
  }
}

/**
 * Finds or pulls the image. Throws ERR_TSRUN_IMAGE_NOT_LOCAL with policy `never`, ERR_TSRUN_IMAGE_AMBIGUOUS, ERR_TSRUN_REFERENCE, and
 * what pullImage() throws.
 */
export async function ensureImage(options: EnsureOptions): Promise<PullResult> {
  const store = new ImageStore(options.paths);
  const { local, ambiguity } = look(store, options.name);
  const ready = usable(store, local, options);
  const emit: PullListener = options.onEvent ?? (() => {});
  if (ready !== undefined && (options.policy === 'missing' || options.policy === 'never')) {
    if (parseReferenceHost(ready) !== DEFAULT_REGISTRY) tellResolution(options, ready.reference);
    return { record: ready, isNew: false };
  }
  if (options.policy === 'never' && local !== undefined)
    throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: local.reference });
  const references = await candidates(options, local);
  if (options.policy === 'missing' || options.policy === 'never') {
    const aliased = findAliased(store, references, options);
    if (aliased !== undefined) {
      tellResolution(options, aliased.reference);
      return { record: aliased, isNew: false };
    }
    if (ambiguity !== undefined && options.ignoreStoreForShortNames !== true) throw ambiguity;
  }
  if (options.policy === 'never') {
    throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: options.name });
  }
  try {
    return await pullFirst(options, references);
  } catch (error) {
    if (options.policy !== 'newer' || ready === undefined || !mayBeElsewhere(error)) throw error;
    emit({ type: 'warning', text: `${error.message}; using the image of the store` });
    return { record: ready, isNew: false };
  }
}

/** The registry in the name of an image; undefined for one without a name. */
function parseReferenceHost(record: ImageRecord): string | undefined {
  return isDangling(record) ? undefined : parseName(record.reference).registry;
}
