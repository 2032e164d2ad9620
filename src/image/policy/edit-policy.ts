/** policy.json as `image trust` shows and changes it: the scopes of registries and the default; everything else stays as it is. */
import { isJsonObject, type Json, type JsonObject, parseStrictJson } from '../../spec/strict-json.ts';
import { parsePolicy } from './policy-document.ts';

export const TRUST_TYPES = ['accept', 'reject', 'signedBy', 'sigstoreSigned'] as const;
export type TrustType = (typeof TRUST_TYPES)[number];

export interface Trust {
  type: TrustType;
  /** Absolute paths of public keys; none for accept and reject. */
  keys: readonly string[];
}

/** The scope that stands for all that no other is about. */
export const DEFAULT_SCOPE = 'default';

/** A host, `*.` and a domain, a namespace, a repository, or a whole name. */
const SCOPE =
  /^(?:\*(?:\.[a-zA-Z0-9-]+)+|[a-zA-Z0-9.-]+(?::\d+)?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[\w][\w.-]*|@(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?)$/;

export const isRegistryScope = (scope: string): boolean => SCOPE.test(scope);

function requirements({ type, keys }: Trust): Json[] {
  if (type === 'accept') return [{ type: 'insecureAcceptAnything' }];
  if (type === 'reject') return [{ type }];
  return keys.map((keyPath) =>
    type === 'signedBy' ? { type, keyType: 'GPGKeys', keyPath } : { type, keyPath },
  );
}

/** The file's text with another rule for `scope`. `text` undefined: there was none. Throws ERR_TSRUN_POLICY for a file that is not valid. */
export function withTrust(text: string | undefined, file: string, scope: string, trust: Trust): string {
  const start = text ?? JSON.stringify({ default: requirements({ type: 'accept', keys: [] }) });
  parsePolicy(start, file);
  const policy = parseStrictJson(start) as JsonObject;
  if (scope === DEFAULT_SCOPE) policy.default = requirements(trust);
  else {
    const transports = isJsonObject(policy.transports) ? policy.transports : {};
    const docker = isJsonObject(transports.docker) ? transports.docker : {};
    policy.transports = { ...transports, docker: { ...docker, [scope]: requirements(trust) } };
  }
  const changed = `${JSON.stringify(policy, undefined, 4)}\n`;
  parsePolicy(changed, file);
  return changed;
}

/** A rule as podman's `image trust show` has it. */
export interface TrustRow {
  transport: string;
  name: string;
  type: string;
  /** Files of the keys. */
  keys: string[];
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  insecureAcceptAnything: 'accept',
  signedBy: 'signed',
};

/** All rules of the file: the default, then by transport. Throws ERR_TSRUN_POLICY for a file that is not valid. */
export function trustRows(text: string, file: string): TrustRow[] {
  parsePolicy(text, file);
  const policy = parseStrictJson(text) as JsonObject;
  const rowsOf = (transport: string, name: string, list: Json | undefined): TrustRow[] =>
    (Array.isArray(list) ? list : []).filter(isJsonObject).map((rule) => ({
      transport,
      name,
      type: TYPE_WORDS[String(rule.type)] ?? String(rule.type),
      keys: [rule.keyPath, ...(Array.isArray(rule.keyPaths) ? rule.keyPaths : [])].filter(
        (key) => typeof key === 'string',
      ),
    }));
  const transports = isJsonObject(policy.transports) ? Object.entries(policy.transports) : [];
  const ofTransports = transports.flatMap(([transport, scopes]) =>
    Object.entries(isJsonObject(scopes) ? scopes : {}).flatMap(([scope, list]) =>
      rowsOf(transport === 'docker' ? 'repository' : transport, scope, list),
    ),
  );
  return [...rowsOf('all', DEFAULT_SCOPE, policy.default), ...ofTransports];
}
