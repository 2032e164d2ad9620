/**
 * Reading the JSON documents of an image: index, manifest, configuration.
 *
 * A document comes from strangers, and its digest proves only that it is the one that was named. Two readers that take the same
 * bytes for different kinds of document can be led to different content (CVE-2021-41190): so the kind that the transport names,
 * the kind that the document names, and its fields must all agree, and a document with fields of both kinds is refused.
 */
import { tsrunError } from '../errors.ts';
import { isDiffId, parseDigest } from './digest.ts';
import { parseForeignJson } from './foreign-json.ts';
import type { Descriptor, DiffId, ImageConfig, Index, Manifest } from './image.ts';
import { imageConfigProblem } from './image-config-problem.ts';
import { bareMediaType, isIndexType, isManifestType, isSchema1Type } from './media-types.ts';

export type ImageDocument = { kind: 'index'; index: Index } | { kind: 'manifest'; manifest: Manifest };

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

function invalid(what: string, problem: string): Error {
  return tsrunError('ERR_TSRUN_DOCUMENT', { what, problem });
}

/** Parses JSON whose outermost value must be an object. Throws ERR_TSRUN_DOCUMENT. */
function parseObject(text: string, what: string): Json {
  let value: unknown;
  try {
    value = parseForeignJson(text);
  } catch (error) {
    throw tsrunError('ERR_TSRUN_DOCUMENT', { what, problem: 'it is not JSON' }, error);
  }
  if (!isObject(value)) throw invalid(what, 'it is not a JSON object');
  return value;
}

/** Checks the fields of a descriptor that decide what is fetched; the others are kept as they are. */
function checkDescriptor(value: unknown, what: string): Descriptor {
  if (!isObject(value)) throw invalid(what, 'it is not an object');
  if (typeof value.mediaType !== 'string') throw invalid(what, 'it has no mediaType');
  parseDigest(value.digest, what);
  if (!Number.isSafeInteger(value.size) || (value.size as number) < 0) {
    throw invalid(what, `its size is ${JSON.stringify(value.size)}`);
  }
  if (!isAbsent(value.urls) && !isStringArray(value.urls)) throw invalid(what, 'its urls are not strings');
  checkAnnotations(value.annotations, what);
  const { platform } = value;
  if (!isAbsent(platform)) {
    if (!isObject(platform) || typeof platform.os !== 'string' || typeof platform.architecture !== 'string') {
      throw invalid(what, 'its platform has no os and architecture');
    }
    if (!isAbsent(platform.variant) && typeof platform.variant !== 'string') {
      throw invalid(what, 'the variant of its platform is not a string');
    }
  }
  return withoutNulls(value) as unknown as Descriptor;
}

function checkAnnotations(annotations: unknown, what: string): void {
  if (isAbsent(annotations)) return;
  const areStrings =
    isObject(annotations) && Object.values(annotations).every((each) => typeof each === 'string');
  if (!areStrings) throw invalid(what, 'its annotations are not strings');
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** `null` is how Go writes an empty list. */
function checkDescriptors(value: unknown, what: string, each: string): Descriptor[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw invalid(what, `it has no list of ${each}s`);
  return value.map((item, i) => checkDescriptor(item, `${each} ${i + 1} of ${what}`));
}

/** What the transport, the document and its fields say it is; they must agree. */
function documentKind(json: Json, contentType: string | undefined, what: string): 'index' | 'manifest' {
  const said = contentType === undefined ? '' : bareMediaType(contentType);
  if (isSchema1Type(said) || json.schemaVersion === 1) throw tsrunError('ERR_TSRUN_SCHEMA1', { what });
  const inside = json.mediaType ?? undefined;
  if (inside !== undefined && typeof inside !== 'string')
    throw invalid(what, 'its mediaType is not a string');
  const isTyped = isIndexType(said) || isManifestType(said);
  if (isTyped && inside !== undefined && inside !== said) {
    throw invalid(what, `it was served as ${said} but calls itself ${inside}`);
  }
  const hasIndexFields = 'manifests' in json;
  const hasManifestFields = 'layers' in json || 'config' in json || 'fsLayers' in json;
  if (hasIndexFields && hasManifestFields) {
    throw invalid(
      what,
      'it has the fields of an index and of a manifest, so that readers could disagree on it',
    );
  }
  const type = isTyped ? said : inside;
  if (type === undefined) {
    if (!hasIndexFields && !hasManifestFields) throw invalid(what, 'it is neither an index nor a manifest');
    return hasIndexFields ? 'index' : 'manifest';
  }
  if (!isIndexType(type) && !isManifestType(type)) {
    throw tsrunError('ERR_TSRUN_MEDIA_TYPE', {
      what,
      mediaType: type,
      expected: 'an image index or manifest',
    });
  }
  return isIndexType(type) ? 'index' : 'manifest';
}

/**
 * Reads an index or a manifest. `contentType` is what the transport (or the descriptor that led here) says it is; `what` names
 * it in messages. Throws ERR_TSRUN_DOCUMENT, ERR_TSRUN_SCHEMA1 or ERR_TSRUN_MEDIA_TYPE.
 */
export function parseDocument(text: string, contentType: string | undefined, what: string): ImageDocument {
  const json = parseObject(text, what);
  const kind = documentKind(json, contentType, what);
  if (json.schemaVersion !== 2)
    throw invalid(what, `its schemaVersion is ${JSON.stringify(json.schemaVersion)}`);
  checkAnnotations(json.annotations, what);
  const rest = withoutNulls(json);
  if (kind === 'index') {
    const manifests = checkDescriptors(json.manifests, what, 'manifest');
    return { kind, index: { ...rest, manifests } as unknown as Index };
  }
  const config = checkDescriptor(json.config, `the config of ${what}`);
  const layers = checkDescriptors(json.layers, what, 'layer');
  return { kind, manifest: { ...rest, config, layers } as unknown as Manifest };
}

/** Reads the configuration of an image; `null` fields, which Docker writes, become absent. Throws ERR_TSRUN_DOCUMENT. */
export function parseImageConfig(text: string, what: string): ImageConfig {
  const json = parseObject(text, what);
  if (typeof json.os !== 'string' || typeof json.architecture !== 'string') {
    throw invalid(what, 'it names no os and architecture');
  }
  const { rootfs } = json;
  const diffIds = isObject(rootfs) && rootfs.type === 'layers' ? (rootfs.diff_ids ?? []) : undefined;
  if (!Array.isArray(diffIds)) throw invalid(what, 'it has no rootfs of type "layers" with diff_ids');
  const bad = diffIds.find((id) => !isDiffId(id));
  if (bad !== undefined) throw invalid(what, `diff_id ${JSON.stringify(bad)} is not a sha256 digest`);
  const problem = imageConfigProblem(json);
  if (problem !== undefined) throw invalid(what, problem);
  const rest = withoutNulls(json);
  const { config, history } = rest;
  return {
    ...rest,
    ...(isObject(config) ? { config: withoutNulls(config) } : {}),
    ...(Array.isArray(history) ? { history: history.map((step) => withoutNulls(step ?? {})) } : {}),
    rootfs: { type: 'layers', diff_ids: diffIds as DiffId[] },
  } as unknown as ImageConfig;
}

function withoutNulls(object: Json): Json {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
