/**
 * Reading the JSON documents of an image: index, manifest, configuration.
 *
 * A document comes from strangers, and its digest proves only that it is the one that was named. Two readers that take the same
 * bytes for different kinds of document can be led to different content (CVE-2021-41190): so the kind that the transport names,
 * the kind that the document names, and its fields must all agree, and a document with fields of both kinds is refused.
 */
import { tsrunError } from '../errors.ts';
import { isDigest, parseDigest } from './digest.ts';
import { parseForeignJson } from './foreign-json.ts';
import type { Descriptor, DiffId, ImageConfig, Index, Manifest } from './image.ts';
import { bareMediaType, isIndexType, isManifestType, isSchema1Type } from './media-types.ts';

export type ImageDocument = { kind: 'index'; index: Index } | { kind: 'manifest'; manifest: Manifest };

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

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
  if (value.urls !== undefined && !isStringArray(value.urls)) throw invalid(what, 'its urls are not strings');
  const { platform } = value;
  if (platform !== undefined) {
    if (!isObject(platform) || typeof platform.os !== 'string' || typeof platform.architecture !== 'string') {
      throw invalid(what, 'its platform has no os and architecture');
    }
    if (platform.variant !== undefined && typeof platform.variant !== 'string') {
      throw invalid(what, 'the variant of its platform is not a string');
    }
  }
  return value as unknown as Descriptor;
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function checkDescriptors(value: unknown, what: string, each: string): void {
  if (!Array.isArray(value)) throw invalid(what, `it has no list of ${each}s`);
  for (const [i, item] of value.entries()) checkDescriptor(item, `${each} ${i + 1} of ${what}`);
}

/** What the transport, the document and its fields say it is; they must agree. */
function documentKind(json: Json, contentType: string | undefined, what: string): 'index' | 'manifest' {
  const said = contentType === undefined ? '' : bareMediaType(contentType);
  if (isSchema1Type(said) || json.schemaVersion === 1) throw tsrunError('ERR_TSRUN_SCHEMA1', { what });
  const inside = json.mediaType;
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
  if (kind === 'index') {
    checkDescriptors(json.manifests, what, 'manifest');
    return { kind, index: json as unknown as Index };
  }
  checkDescriptor(json.config, `the config of ${what}`);
  checkDescriptors(json.layers, what, 'layer');
  return { kind, manifest: json as unknown as Manifest };
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/** Checks the types of the fields of `config` that a container is made from, so that nothing later trips over them. */
function checkRunConfig(config: unknown, what: string): void {
  if (isAbsent(config)) return;
  if (!isObject(config)) throw invalid(what, 'its "config" is not an object');
  for (const field of ['Env', 'Entrypoint', 'Cmd', 'Shell', 'OnBuild']) {
    if (!isAbsent(config[field]) && !isStringArray(config[field])) {
      throw invalid(what, `its config.${field} is not a list of strings`);
    }
  }
  for (const field of ['User', 'WorkingDir', 'StopSignal']) {
    if (!isAbsent(config[field]) && typeof config[field] !== 'string') {
      throw invalid(what, `its config.${field} is not a string`);
    }
  }
  for (const field of ['ExposedPorts', 'Volumes', 'Labels', 'Healthcheck']) {
    if (!isAbsent(config[field]) && !isObject(config[field]))
      throw invalid(what, `its config.${field} is not an object`);
  }
}

/** Reads the configuration of an image; `null` fields, which Docker writes, become absent. Throws ERR_TSRUN_DOCUMENT. */
export function parseImageConfig(text: string, what: string): ImageConfig {
  const json = parseObject(text, what);
  if (typeof json.os !== 'string' || typeof json.architecture !== 'string') {
    throw invalid(what, 'it names no os and architecture');
  }
  const { rootfs } = json;
  if (!isObject(rootfs) || rootfs.type !== 'layers' || !Array.isArray(rootfs.diff_ids)) {
    throw invalid(what, 'it has no rootfs of type "layers" with diff_ids');
  }
  const bad = rootfs.diff_ids.find((id) => !isDigest(id));
  if (bad !== undefined) throw invalid(what, `diff_id ${JSON.stringify(bad)} is not a sha256 digest`);
  checkRunConfig(json.config, what);
  if (!isAbsent(json.history) && !(Array.isArray(json.history) && json.history.every(isObject))) {
    throw invalid(what, 'its history is not a list of objects');
  }
  const rest = withoutNulls(json);
  const config = isObject(json.config) ? { config: withoutNulls(json.config) } : {};
  return {
    ...rest,
    ...config,
    rootfs: { type: 'layers', diff_ids: rootfs.diff_ids as DiffId[] },
  } as unknown as ImageConfig;
}

function withoutNulls(object: Json): Json {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
