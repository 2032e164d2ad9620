/** Registries: the way there, logins, certificates, what they answer. The rows are explained in ../errors.ts. */
import { define } from './definition.ts';

export const REGISTRY_ERRORS = {
  ERR_TSRUN_REPOSITORY_UNKNOWN: define<{ registry: string; repository: string }>({
    exitCode: 125,
    message: (d) => `registry ${d.registry} has no repository ${d.repository}`,
  }),
  ERR_TSRUN_REGISTRY_DENIED: define<{
    registry: string;
    /** '': all of it */
    repository: string;
    withCredentials: boolean;
    /** undefined: reading */
    writing?: boolean | undefined;
  }>({
    exitCode: 125,
    message: (d) => {
      const who = d.withCredentials ? 'this login' : 'anyone without a login';
      if (d.repository === '')
        return `registry ${d.registry} does not let ${who} read the list of its repositories`;
      if (d.writing === true) return `registry ${d.registry} does not let ${who} write to ${d.repository}`;
      return d.withCredentials
        ? `registry ${d.registry} does not let this login read ${d.repository}`
        : `registry ${d.registry} does not let anyone read ${d.repository} without a login, or has no such repository`;
    },
    hint: (d) => `tsrun login ${d.registry}   # logins of podman and docker are read, too`,
  }),
  ERR_TSRUN_REGISTRY_RATE_LIMIT: define<{ registry: string; limits: string }>({
    exitCode: 125,
    message: (d) =>
      `registry ${d.registry} refuses more requests for now${d.limits === '' ? '' : ` (${d.limits})`}`,
    hint: (d) =>
      `tsrun login ${d.registry}   # more is allowed to who is known; or wait, or name a mirror in registries.conf`,
  }),
  ERR_TSRUN_REGISTRY_UNREACHABLE: define<{ registry: string; url: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => `cannot reach registry ${d.registry} at ${d.url}`,
    hint: (d) => d.hint,
  }),
  ERR_TSRUN_REGISTRY_RESPONSE: define<{ registry: string; request: string; problem: string }>({
    exitCode: 125,
    message: (d) => `registry ${d.registry} answered ${d.problem} to ${d.request}`,
  }),
  ERR_TSRUN_CREDENTIALS: define<{ source: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot use the logins of ${d.source}: ${d.problem}`,
    hint: (d) =>
      /^docker-credential-/.test(d.source)
        ? `command -v ${d.source}   # credHelpers, credsStore or credential-helpers name it`
        : `ls -l ${d.source}   # if it is broken, move it away, and: tsrun login REGISTRY`,
  }),
  ERR_TSRUN_CERTIFICATES: define<{ directory: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot use the certificates of ${d.directory}: ${d.problem}`,
    hint: (d) => `ls -l ${d.directory}`,
  }),
  ERR_TSRUN_REGISTRIES_CONF: define<{ file: string; problem: string }>({
    exitCode: 125,
    message: (d) => `${d.file} is wrong: ${d.problem}`,
    hint: () => 'man containers-registries.conf',
  }),
  ERR_TSRUN_REGISTRY_BLOCKED: define<{ name: string; prefix: string; file: string }>({
    exitCode: 125,
    message: (d) => `${d.name} may not be asked for: ${d.file} blocks ${d.prefix}`,
    hint: (d) => `grep -n -B2 -A2 blocked ${d.file}`,
  }),
  ERR_TSRUN_NO_SEARCH: define<{ registry: string }>({
    exitCode: 125,
    message: (d) => `registry ${d.registry} has no search, and does not list what it has`,
    hint: (d) => `tsrun list-tags ${d.registry}/NAME   # the tags of one image`,
  }),
  ERR_TSRUN_LOGIN_REFUSED: define<{ registry: string; username: string; existing: boolean }>({
    exitCode: 125,
    message: (d) => `registry ${d.registry} refuses the login of ${d.username}`,
    hint: (d) =>
      d.existing
        ? `tsrun login -u ${d.username} ${d.registry}   # the password that is kept is not good any more`
        : undefined,
  }),
  ERR_TSRUN_NOT_LOGGED_IN: define<{ registry: string; elsewhere?: string | undefined }>({
    exitCode: 125,
    message: (d) =>
      d.elsewhere === undefined
        ? `no login for ${d.registry} is kept`
        : `the login for ${d.registry} is not tsrun's or podman's: ${d.elsewhere} has it`,
    hint: (d) =>
      d.elsewhere === undefined
        ? `tsrun login ${d.registry}`
        : `tsrun logout --authfile ${d.elsewhere} ${d.registry}`,
  }),
  ERR_TSRUN_DOWNLOAD: define<{ url: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot fetch ${d.url}: ${d.problem}`,
  }),
} as const;
