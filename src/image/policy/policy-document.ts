/**
 * policy.json (containers-policy.json(5)): which images may be used, by where they come from.
 *
 * As its manual demands, reading is strict: a field that is unknown, missing, there twice or of the wrong form makes the whole file, and so
 * the command, fail. What a file may say but is not verified here (`signedBy`, Fulcio, Rekor) is kept as such: it refuses the images that
 * it is about, by name, and no others.
 */
import { tsrunError } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject, parseStrictJson } from '../../spec/strict-json.ts';
import { parseIdentityRule, type SignedIdentity } from './signed-identity.ts';

export type Requirement =
  | { type: 'insecureAcceptAnything' }
  | { type: 'reject' }
  | {
      type: 'sigstoreSigned';
      /** Files of public keys, or their texts: a signature by any of them will do. */
      keyPaths: string[];
      keyTexts: string[];
      signedIdentity: SignedIdentity;
    }
  /** What is not verified here, and so never fulfilled. */
  | { type: 'unsupported'; what: string };

export interface Policy {
  /** The file that it is from. */
  file: string;
  default: Requirement[];
  /** Transport → scope → requirements. Maps, because scopes are any text. */
  transports: Map<string, Map<string, Requirement[]>>;
}

/** Reads fields, naming the file and the place that is wrong. */
class PolicyReader {
  readonly #file: string;
  constructor(file: string) {
    this.#file = file;
  }

  wrong(place: string, problem: string): Error {
    return tsrunError('ERR_TSRUN_POLICY', { file: this.#file, problem: `${place}: ${problem}` });
  }

  object(value: Json | undefined, place: string, known?: readonly string[]): JsonObject {
    if (!isJsonObject(value)) throw this.wrong(place, 'it is not an object');
    const unknown = known && Object.keys(value).find((key) => !known.includes(key));
    if (unknown !== undefined) throw this.wrong(place, `"${unknown}" is not one of its fields`);
    return value;
  }

  text(value: Json | undefined, place: string): string {
    if (typeof value !== 'string' || value === '') throw this.wrong(place, 'it is not a text');
    return value;
  }

  texts(value: Json | undefined, place: string): string[] {
    if (!Array.isArray(value) || value.length === 0)
      throw this.wrong(place, 'it is not a list of at least one text');
    return value.map((each, i) => this.text(each, `${place}[${i}]`));
  }
}

const SIGSTORE_FIELDS = [
  ...['type', 'keyPath', 'keyPaths', 'keyData', 'keyDatas', 'fulcio', 'pki', 'signedIdentity'],
  ...['rekorPublicKeyPath', 'rekorPublicKeyPaths', 'rekorPublicKeyData', 'rekorPublicKeyDatas'],
];
const KEY_FIELDS = ['keyPath', 'keyPaths', 'keyData', 'keyDatas', 'fulcio', 'pki'] as const;
const SIGNED_BY_FIELDS = ['type', 'keyType', 'keyPath', 'keyPaths', 'keyData', 'signedIdentity'];

const decode = (base64: string, reader: PolicyReader, place: string): string => {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(base64)) throw reader.wrong(place, 'it is not base64');
  return Buffer.from(base64, 'base64').toString('utf8');
};

function parseSigstore(value: JsonObject, reader: PolicyReader, place: string): Requirement {
  reader.object(value, place, SIGSTORE_FIELDS);
  const given = KEY_FIELDS.filter((field) => value[field] !== undefined);
  const [field] = given;
  if (field === undefined || given.length > 1)
    throw reader.wrong(place, `exactly one of ${KEY_FIELDS.join(', ')} is needed`);
  const signedIdentity = parseIdentityRule(value.signedIdentity, (problem) =>
    reader.wrong(`${place}.signedIdentity`, problem),
  );
  const beyond = Object.keys(value).find(
    (key) => key.startsWith('rekor') || key === 'fulcio' || key === 'pki',
  );
  if (beyond !== undefined) return { type: 'unsupported', what: `sigstoreSigned with ${beyond}` };
  const at = `${place}.${field}`;
  const many = field === 'keyPaths' || field === 'keyDatas';
  const texts = many ? reader.texts(value[field], at) : [reader.text(value[field], at)];
  return field === 'keyPath' || field === 'keyPaths'
    ? { type: 'sigstoreSigned', keyPaths: texts, keyTexts: [], signedIdentity }
    : {
        type: 'sigstoreSigned',
        keyPaths: [],
        keyTexts: texts.map((text) => decode(text, reader, at)),
        signedIdentity,
      };
}

function parseRequirement(json: Json, reader: PolicyReader, place: string): Requirement {
  const value = reader.object(json, place);
  switch (value.type) {
    case 'insecureAcceptAnything':
    case 'reject':
      reader.object(value, place, ['type']);
      return { type: value.type };
    case 'sigstoreSigned':
      return parseSigstore(value, reader, place);
    case 'signedBy':
      reader.object(value, place, SIGNED_BY_FIELDS);
      return { type: 'unsupported', what: 'signedBy (GPG)' };
    case 'signedBaseLayer':
      reader.object(value, place, ['type', 'baseLayerIdentity']);
      return { type: 'unsupported', what: 'signedBaseLayer' };
    default:
      throw reader.wrong(place, `there is no requirement of type ${JSON.stringify(value.type)}`);
  }
}

function parseRequirements(json: Json | undefined, reader: PolicyReader, place: string): Requirement[] {
  if (!Array.isArray(json) || json.length === 0)
    throw reader.wrong(place, 'it is not a list of at least one requirement');
  return json.map((each, i) => parseRequirement(each, reader, `${place}[${i}]`));
}

/** Scopes that are paths must be as paths are looked up, or they would never match. */
function checkScope(transport: string, scope: string, reader: PolicyReader): void {
  if (scope === '') return;
  const place = `transports.${transport}`;
  if (transport === 'docker-archive' || transport === 'tarball')
    throw reader.wrong(place, `it has no scope but "", and so not ${JSON.stringify(scope)}`);
  if (!['dir', 'oci', 'oci-archive'].includes(transport)) return;
  if (!scope.startsWith('/') || scope === '/' || /\/\/|\/$|\/\.{1,2}(?:\/|$)/.test(scope))
    throw reader.wrong(place, `${JSON.stringify(scope)} is not an absolute, plain path, or is all of them`);
}

/** Throws ERR_TSRUN_POLICY, naming the file and the place. */
export function parsePolicy(text: string, file: string): Policy {
  const reader = new PolicyReader(file);
  let json: Json;
  try {
    json = parseStrictJson(text);
  } catch (error) {
    throw tsrunError('ERR_TSRUN_POLICY', { file, problem: 'it is not strict JSON' }, error);
  }
  const root = reader.object(json, 'the file', ['default', 'transports']);
  const transports = new Map<string, Map<string, Requirement[]>>();
  const written = root.transports === undefined ? {} : reader.object(root.transports, 'transports');
  for (const [transport, scopes] of Object.entries(written)) {
    const byScope = new Map<string, Requirement[]>();
    for (const [scope, list] of Object.entries(reader.object(scopes, `transports.${transport}`))) {
      checkScope(transport, scope, reader);
      byScope.set(scope, parseRequirements(list, reader, `transports.${transport}.${JSON.stringify(scope)}`));
    }
    transports.set(transport, byScope);
  }
  return { file, default: parseRequirements(root.default, reader, 'default'), transports };
}
