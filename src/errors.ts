/**
 * Every error that tsrun reports, in one table: code → message, exit status, remedy.
 *
 * An error has a stable code (`ERR_TSRUN_…`, also its anchor in docs/errors.md), a message that names the object, an
 * optional cause (the system's own words) and an optional hint (a line to paste). Rendered by cli/render-error.ts as at most
 * four lines. Exit statuses: 125 for a failure of tsrun, 126 for a command that cannot be invoked, 127 for one that is not there.
 */

interface Definition<Data> {
  exitCode: number;
  /** A lower-case clause that names the object: "cannot pull 127.0.0.1:5000/x". */
  message: (data: Data) => string;
  /** Imperative, paste-able; undefined when nothing helps for this data. */
  hint?: (data: Data) => string | undefined;
}

/** Types a row of the table. */
const define = <Data>(definition: Definition<Data>): Definition<Data> => definition;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export const ERRORS = {
  ERR_TSRUN_USAGE: define<{ problem: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => d.problem,
    hint: (d) => d.hint,
  }),
  ERR_TSRUN_SECCOMP_PROFILE: define<{ file: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot use the seccomp profile ${d.file}: ${d.problem}`,
  }),
  ERR_TSRUN_ROOT: define<object>({
    exitCode: 125,
    message: () => 'tsrun is for ordinary users, and it was started by root',
    hint: () => 'run it as an ordinary user: su - USER -c "tsrun …"',
  }),
  ERR_TSRUN_RUNTIME_DIRECTORY: define<{ path: string }>({
    exitCode: 125,
    message: (d) => `${d.path} is not a directory that only this user can use`,
    hint: () => 'export XDG_RUNTIME_DIR=$(mktemp -d)   # or log in through logind, which makes /run/user/UID',
  }),
  ERR_TSRUN_NAME_IN_USE: define<{ name: string; holder: string }>({
    exitCode: 125,
    message: (d) => `the container name "${d.name}" is in use by container ${d.holder}`,
    hint: (d) => `tsrun rm ${d.name}   # or choose another --name`,
  }),
  ERR_TSRUN_NAME_INVALID: define<{ name: string }>({
    exitCode: 125,
    message: (d) =>
      `"${d.name}" cannot be a container name: use letters, digits, "_", "." and "-", beginning with a letter or digit`,
  }),
  ERR_TSRUN_CONTAINER_UNKNOWN: define<{ name: string }>({
    exitCode: 125,
    message: (d) => `there is no container "${d.name}"`,
    hint: () => 'tsrun ps -a',
  }),
  ERR_TSRUN_CONTAINER_AMBIGUOUS: define<{ name: string; candidates: string[] }>({
    exitCode: 125,
    message: (d) => `"${d.name}" is the beginning of several container ids: ${d.candidates.join(', ')}`,
    hint: (d) => `tsrun inspect ${d.candidates[0]}   # more digits`,
  }),
  ERR_TSRUN_CONTAINER_STATE: define<{
    name: string;
    state: string;
    wanted: string;
    hint?: string | undefined;
  }>({
    exitCode: 125,
    message: (d) => `container ${d.name} is ${d.state}, not ${d.wanted}`,
    hint: (d) => d.hint,
  }),
  ERR_TSRUN_COPY: define<{ path: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot copy ${d.path}: ${d.problem}`,
  }),
  ERR_TSRUN_VOLUME_UNKNOWN: define<{ name: string }>({
    exitCode: 125,
    message: (d) => `there is no volume "${d.name}"`,
    hint: () => 'tsrun volume ls',
  }),
  ERR_TSRUN_VOLUME_EXISTS: define<{ name: string }>({
    exitCode: 125,
    message: (d) => `there is a volume "${d.name}" already, with other labels or options`,
    hint: (d) => `tsrun volume inspect ${d.name}`,
  }),
  ERR_TSRUN_VOLUME_IN_USE: define<{ name: string; containers: string[] }>({
    exitCode: 125,
    message: (d) => `the volume "${d.name}" is in use by ${d.containers.join(', ')}`,
    hint: (d) => `tsrun volume rm -f ${d.name}   # removes those containers too`,
  }),
  ERR_TSRUN_PAUSE: define<{ container: string }>({
    exitCode: 125,
    message: (d) =>
      `cannot pause container ${d.container}: it has no cgroup that you may freeze, and shares its pid namespace with others`,
  }),
  ERR_TSRUN_USER_UNKNOWN: define<{ kind: 'user' | 'group'; name: string }>({
    exitCode: 125,
    message: (d) => `the image has no ${d.kind} "${d.name}"`,
    hint: (d) =>
      `--user 1000:1000   # a number needs no entry in /etc/${d.kind === 'user' ? 'passwd' : 'group'}`,
  }),
  ERR_TSRUN_NAMESPACES: define<{ doing: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => `cannot enter the rootless namespaces: a step failed: ${d.doing}`,
    hint: (d) => d.hint ?? 'tsrun doctor',
  }),
  ERR_TSRUN_START: define<{ container: string; doing: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => `cannot start container ${d.container}: a step failed: ${d.doing}`,
    hint: (d) => d.hint,
  }),
  ERR_TSRUN_COMMAND_NOT_FOUND: define<{ command: string; container: string }>({
    exitCode: 127,
    message: (d) => `there is no command "${d.command}" in container ${d.container}`,
  }),
  ERR_TSRUN_COMMAND_NOT_EXECUTABLE: define<{ command: string; container: string; hint?: string | undefined }>(
    {
      exitCode: 126,
      message: (d) => `the command "${d.command}" in container ${d.container} cannot be executed`,
      hint: (d) => d.hint,
    },
  ),
  ERR_TSRUN_WORKDIR: define<{ workdir: string; container: string }>({
    exitCode: 126,
    message: (d) => `the working directory ${d.workdir} of container ${d.container} cannot be entered`,
  }),
  ERR_TSRUN_MOUNT_SOURCE: define<{ source: string }>({
    exitCode: 125,
    message: (d) => `cannot mount ${d.source}: it does not exist`,
    hint: (d) => `mkdir -p ${d.source}`,
  }),
  ERR_TSRUN_STORAGE_DRIVER: define<{ driver: string; reasons: string }>({
    exitCode: 125,
    message: (d) => `the storage driver ${d.driver} does not work here: ${d.reasons}`,
    hint: () => 'tsrun doctor',
  }),
  ERR_TSRUN_SUPERVISOR_GONE: define<{ container: string; doing: string }>({
    exitCode: 125,
    message: (d) => `cannot ${d.doing} container ${d.container}: its supervisor’s socket is gone`,
  }),
  ERR_TSRUN_SYSCALL: define<{ doing: string; call: string }>({
    exitCode: 125,
    message: (d) => `cannot ${d.doing}`,
  }),
  ERR_TSRUN_REFERENCE: define<{ text: string; problem: string; suggestion?: string | undefined }>({
    exitCode: 125,
    message: (d) => `"${d.text}" is not an image name: ${d.problem}`,
    hint: (d) => (d.suggestion === undefined ? undefined : `write ${d.suggestion}`),
  }),
  ERR_TSRUN_IMAGE_AMBIGUOUS: define<{ name: string; candidates: string[] }>({
    exitCode: 125,
    message: (d) => `"${d.name}" names several images of the store: ${d.candidates.join(', ')}`,
    hint: (d) => `write one of them in full, such as ${d.candidates[0] ?? d.name}`,
  }),
  ERR_TSRUN_IMAGE_NOT_LOCAL: define<{ reference: string }>({
    exitCode: 125,
    message: (d) => `image ${d.reference} is not in the store`,
    hint: (d) => `tsrun pull ${d.reference}`,
  }),
  ERR_TSRUN_IMAGE_IN_USE: define<{ reference: string; containers: string[] }>({
    exitCode: 125,
    message: (d) => `image ${d.reference} is used by container ${d.containers.join(', ')}`,
    hint: (d) => `tsrun rm ${d.containers.join(' ')}`,
  }),
  ERR_TSRUN_TAG_UNKNOWN: define<{ repository: string; wanted: string; tags: string[] }>({
    exitCode: 125,
    message: (d) => `${d.repository} has no ${d.wanted}`,
    hint: (d) => (d.tags.length === 0 ? undefined : `tags that exist: ${d.tags.join(', ')}`),
  }),
  ERR_TSRUN_REPOSITORY_UNKNOWN: define<{ registry: string; repository: string }>({
    exitCode: 125,
    message: (d) => `registry ${d.registry} has no repository ${d.repository}`,
  }),
  ERR_TSRUN_REGISTRY_DENIED: define<{
    registry: string;
    repository: string;
    withCredentials: boolean;
    /** undefined: reading */
    writing?: boolean | undefined;
  }>({
    exitCode: 125,
    message: (d) =>
      d.writing === true
        ? `registry ${d.registry} does not let ${d.withCredentials ? 'this login' : 'anyone without a login'} write to ${d.repository}`
        : d.withCredentials
          ? `registry ${d.registry} does not let this login read ${d.repository}`
          : `registry ${d.registry} does not let anyone read ${d.repository} without a login, or has no such repository`,
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
  ERR_TSRUN_DOCUMENT: define<{ what: string; problem: string }>({
    exitCode: 125,
    message: (d) => `${d.what} is not valid: ${d.problem}`,
  }),
  ERR_TSRUN_SCHEMA1: define<{ what: string }>({
    exitCode: 125,
    message: (d) => `${d.what} is in Docker's schema 1 format, which no current engine reads`,
    hint: () => 'push the image again with a current docker, podman or skopeo, which write schema 2',
  }),
  ERR_TSRUN_MEDIA_TYPE: define<{ what: string; mediaType: string; expected: string }>({
    exitCode: 125,
    message: (d) => `${d.what} has media type "${d.mediaType}", where ${d.expected} is needed`,
  }),
  ERR_TSRUN_PLATFORM: define<{ reference: string; wanted: string; available: string[] }>({
    exitCode: 125,
    message: (d) =>
      `${d.reference} has no image for ${d.wanted}; it has ${d.available.length === 0 ? 'none at all' : d.available.join(', ')}`,
    hint: (d) => (d.available[0] === undefined ? undefined : `--platform ${d.available[0]}`),
  }),
  ERR_TSRUN_MISMATCH: define<{
    what: string;
    property: 'digest' | 'size' | 'DiffID';
    expected: string;
    got: string;
  }>({
    exitCode: 125,
    message: (d) => `${d.what} has the wrong ${d.property}: expected ${d.expected}, got ${d.got}`,
  }),
  ERR_TSRUN_STORE: define<{ doing: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => `cannot ${d.doing}`,
    hint: (d) => d.hint,
  }),
  ERR_TSRUN_SPACE: define<{ reference: string; place: string; needed: number; free: number }>({
    exitCode: 125,
    message: (d) =>
      `there is no room for ${d.reference} in ${d.place}: it needs at least ${megabytes(d.needed)}, and ${megabytes(d.free)} are free`,
    hint: () => 'tsrun system prune   # or make room: df -h',
  }),
  ERR_TSRUN_CREDENTIALS: define<{ source: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot use the logins of ${d.source}: ${d.problem}`,
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
  ERR_TSRUN_SHORT_NAME: define<{ name: string; strict?: boolean }>({
    exitCode: 125,
    message: (d) =>
      `"${d.name}" names no registry, and ${d.strict === true ? '--strict-names wants one' : 'registries.conf has no registry to look for it in'}`,
    hint: (d) => `write it in full, such as docker.io/${/\//.test(d.name) ? '' : 'library/'}${d.name}`,
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
  ERR_TSRUN_LAYER_ARCHIVE: define<{ problem: string; entry?: string | undefined; offset: number }>({
    exitCode: 125,
    message: (d) =>
      `the layer's archive is damaged at byte ${d.offset}${d.entry === undefined ? '' : `, entry "${d.entry}"`}: ${d.problem}`,
  }),
  ERR_TSRUN_LAYER_COMPRESSION: define<{ compression: string; problem: string }>({
    exitCode: 125,
    message: (d) => `the layer's ${d.compression} data is damaged: ${d.problem}`,
  }),
  ERR_TSRUN_LAYER_ENTRY: define<{ entry: string; reason: string; errno?: string | undefined }>({
    exitCode: 125,
    message: (d) => `cannot unpack "${d.entry}" of the layer: ${d.reason}`,
    hint: (d) =>
      d.errno === 'ENOSPC' || d.errno === 'EDQUOT'
        ? 'tsrun rmi IMAGE   # frees the layers that no other image needs'
        : undefined,
  }),
  ERR_TSRUN_LAYER_OWNER: define<{ entry: string; kind: 'uid' | 'gid'; id: number; ranges: string }>({
    exitCode: 125,
    message: (d) =>
      `"${d.entry}" of the layer belongs to ${d.kind} ${d.id}, and this user's range in a container is ${d.ranges}`,
    hint: (d) =>
      `give this user more subordinate ids in /etc/sub${d.kind}: sudo usermod --add-sub${d.kind}s FIRST-LAST $USER`,
  }),
  ERR_TSRUN_LAYER_LIMIT: define<{ what: string; allowed: number }>({
    exitCode: 125,
    message: (d) =>
      `the layer was refused: it has more than ${d.allowed} ${d.what}, and may be made to fill the disk`,
  }),
  ERR_TSRUN_UNPACK_WORKER: define<{ ending: string; output: string }>({
    exitCode: 125,
    message: (d) =>
      `the process that unpacks layers ended ${d.ending} without a result${d.output === '' ? '' : `; it wrote: ${d.output}`}`,
  }),
  ERR_TSRUN_PACK: define<{ entry: string }>({
    exitCode: 125,
    message: (d) => `cannot put "${d.entry}" into the archive`,
  }),
  ERR_TSRUN_ARCHIVE_WRITE: define<object>({
    exitCode: 125,
    message: () => 'cannot write the archive',
  }),
  ERR_TSRUN_IMAGE_ARCHIVE: define<{ archive: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot read images from ${d.archive}: ${d.problem}`,
  }),
  ERR_TSRUN_INPUT_FILE: define<{ path: string }>({
    exitCode: 125,
    message: (d) => `cannot read ${d.path}`,
  }),
  ERR_TSRUN_UNSHARE: define<{ command: string; paste: string }>({
    exitCode: 125,
    message: (d) => `${d.command} works only in the namespaces of the containers`,
    hint: (d) => d.paste,
  }),
  ERR_TSRUN_DOWNLOAD: define<{ url: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot fetch ${d.url}: ${d.problem}`,
  }),
  ERR_TSRUN_OUTPUT_FILE: define<{ path: string }>({
    exitCode: 125,
    message: (d) => `cannot write ${d.path}`,
  }),
  ERR_TSRUN_PACK_WORKER: define<{ ending: string; output: string }>({
    exitCode: 125,
    message: (d) =>
      `the process that writes archives ended ${d.ending} without a result${d.output === '' ? '' : `; it wrote: ${d.output}`}`,
  }),
  ERR_TSRUN_PORT_LOW: define<{ port: number; start: number; alternative: string }>({
    exitCode: 125,
    message: (d) =>
      `cannot publish port ${d.port}: an ordinary user may listen on ${d.start} and above (net.ipv4.ip_unprivileged_port_start = ${d.start})`,
    hint: (d) =>
      `publish a higher port: -p ${d.alternative}; or let every user of this machine have it: sudo sysctl net.ipv4.ip_unprivileged_port_start=${d.port}`,
  }),
  ERR_TSRUN_PORT_IN_USE: define<{
    address: string;
    port: number;
    protocol: string;
    holder: string | undefined;
  }>({
    exitCode: 125,
    message: (d) =>
      `cannot publish ${d.protocol} port ${d.port} on ${d.address}: address already in use${d.holder === undefined ? '' : ` by ${d.holder}`}`,
    hint: (d) =>
      `see who has it: ss -${d.protocol === 'udp' ? 'u' : 't'}lnp 'sport = :${d.port}'; or publish another port`,
  }),
  ERR_TSRUN_PORT_ADDRESS: define<{ address: string; port: number; protocol: string }>({
    exitCode: 125,
    message: (d) => `cannot publish ${d.protocol} port ${d.port} on ${d.address}`,
    hint: () => 'the address must be one of this machine: ip address',
  }),
  ERR_TSRUN_NETWORK_HELPER: define<{ helper: string; reason: string; hint: string }>({
    exitCode: 125,
    message: (d) => `cannot use ${d.helper} for the container's network: ${d.reason}`,
    hint: (d) => d.hint,
  }),
  ERR_TSRUN_NETWORK_SUBNET: define<{ subnet: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot use the subnet ${d.subnet}: ${d.problem}`,
    hint: () =>
      'tsrun network create --subnet 192.168.77.0/24 NAME   # another one; tsrun network ls shows those in use',
  }),
  ERR_TSRUN_NETWORK_UNKNOWN: define<{ name: string }>({
    exitCode: 125,
    message: (d) => `there is no network "${d.name}"`,
    hint: (d) => `tsrun network create ${d.name}   # tsrun network ls shows those that are there`,
  }),
  ERR_TSRUN_NETWORK_EXISTS: define<{ name: string }>({
    exitCode: 125,
    message: (d) => `there is a network "${d.name}" already`,
    hint: (d) => `tsrun network inspect ${d.name}`,
  }),
  ERR_TSRUN_NETWORK_IN_USE: define<{ name: string; containers: string[] }>({
    exitCode: 125,
    message: (d) => `the network "${d.name}" is used by ${d.containers.join(', ')}`,
    hint: (d) => `tsrun network rm -f ${d.name}   # removes these containers, too`,
  }),
  ERR_TSRUN_NETWORK_ADDRESS: define<{ address: string; network: string; problem: string }>({
    exitCode: 125,
    message: (d) =>
      `the container cannot have the address ${d.address} in the network "${d.network}": ${d.problem}`,
    hint: (d) => `tsrun network inspect ${d.network}`,
  }),
  ERR_TSRUN_HUB: define<{ doing: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => `the bridge networks cannot be used: could not ${d.doing}`,
    hint: (d) => d.hint ?? '--network private   # a network of the container’s own, without a bridge',
  }),
  ERR_TSRUN_OBJECT_UNKNOWN: define<{ name: string }>({
    exitCode: 125,
    message: (d) => `there is neither a container nor an image "${d.name}"`,
    hint: () => 'tsrun ps -a; tsrun images',
  }),
  ERR_TSRUN_PORT_NOT_PUBLISHED: define<{ container: string; port: string }>({
    exitCode: 125,
    message: (d) => `port ${d.port} of container ${d.container} is not published`,
    hint: (d) => `tsrun port ${d.container}`,
  }),
  ERR_TSRUN_HOST_COMMAND_NOT_FOUND: define<{ command: string }>({
    exitCode: 127,
    message: (d) => `there is no command "${d.command}" on this machine`,
  }),
  ERR_TSRUN_HOST_COMMAND_NOT_EXECUTABLE: define<{ command: string }>({
    exitCode: 126,
    message: (d) => `the command "${d.command}" of this machine cannot be executed`,
  }),
  ERR_TSRUN_EXIT_UNKNOWN: define<{ container: string }>({
    exitCode: 125,
    message: (d) =>
      `the exit status of container ${d.container} is not known: its supervisor ended before it could be recorded`,
    hint: (d) => `tsrun logs ${d.container}`,
  }),
} as const;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorData<C extends ErrorCode> = Parameters<(typeof ERRORS)[C]['message']>[0];

export class TsrunError extends Error {
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly data: object;
  constructor(
    code: ErrorCode,
    message: string,
    exitCode: number,
    hint: string | undefined,
    data: object,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TsrunError';
    this.code = code;
    this.exitCode = exitCode;
    this.hint = hint;
    this.data = data;
  }
}

/** Builds the error `code` for `data`; the caller throws it. `cause` is the system's own words or the error behind it. */
export function tsrunError<C extends ErrorCode>(code: C, data: ErrorData<C>, cause?: unknown): TsrunError {
  const row = ERRORS[code] as Definition<ErrorData<C>>;
  return new TsrunError(code, row.message(data), row.exitCode, row.hint?.(data), data as object, cause);
}
