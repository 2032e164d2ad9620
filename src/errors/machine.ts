/** The command line, the machine and the store. The rows are explained in ../errors.ts. */
import { define } from './definition.ts';

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export const MACHINE_ERRORS = {
  ERR_TSRUN_USAGE: define<{ problem: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => d.problem,
    hint: (d) => d.hint,
  }),
  ERR_TSRUN_CONFIG: define<{ place: string; problem: string }>({
    exitCode: 125,
    message: (d) => `the configuration is wrong: ${d.place}: ${d.problem}`,
    hint: () => 'man tsrun   # network = "bridge": docs/network.md; [limits]: docs/layers.md',
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
  ERR_TSRUN_NAMESPACES: define<{ doing: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => `cannot enter the rootless namespaces: a step failed: ${d.doing}`,
    hint: (d) => d.hint ?? 'tsrun doctor',
  }),
  ERR_TSRUN_STORAGE_DRIVER: define<{ driver: string; reasons: string }>({
    exitCode: 125,
    message: (d) => `the storage driver ${d.driver} does not work here: ${d.reasons}`,
    hint: () => 'tsrun doctor',
  }),
  ERR_TSRUN_SYSCALL: define<{ doing: string; call: string }>({
    exitCode: 125,
    message: (d) => `cannot ${d.doing}`,
  }),
  ERR_TSRUN_STORE: define<{ doing: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => `cannot ${d.doing}`,
    hint: (d) => d.hint,
  }),
  ERR_TSRUN_STORE_FILE_SYSTEM: define<{ root: string; kind: string; doing: string; isRemote: boolean }>({
    exitCode: 125,
    message: (d) =>
      `images cannot be unpacked in ${d.root}, which is on ${d.kind}: it does not take ${d.doing}${d.isRemote ? '; its server knows no user namespaces' : ''}`,
    hint: () =>
      'export XDG_DATA_HOME=/var/tmp/$USER   # any directory on a local disk; --root DIRECTORY does it for one command',
  }),
  ERR_TSRUN_SPACE: define<{ reference: string; place: string; needed: number; free: number }>({
    exitCode: 125,
    message: (d) =>
      `there is no room for ${d.reference} in ${d.place}: it needs at least ${megabytes(d.needed)}, and ${megabytes(d.free)} are free`,
    hint: () => 'tsrun system prune   # or make room: df -h',
  }),
  ERR_TSRUN_UNSHARE: define<{ command: string; paste: string }>({
    exitCode: 125,
    message: (d) => `${d.command} works only in the namespaces of the containers`,
    hint: (d) => d.paste,
  }),
  ERR_TSRUN_OBJECT_UNKNOWN: define<{ name: string }>({
    exitCode: 125,
    message: (d) => `there is no container, image, network or volume "${d.name}"`,
    hint: () => 'tsrun ps -a; tsrun images',
  }),
  ERR_TSRUN_HOST_COMMAND_NOT_FOUND: define<{ command: string }>({
    exitCode: 127,
    message: (d) => `there is no command "${d.command}" on this machine`,
  }),
  ERR_TSRUN_HOST_COMMAND_NOT_EXECUTABLE: define<{ command: string }>({
    exitCode: 126,
    message: (d) => `the command "${d.command}" of this machine cannot be executed`,
  }),
} as const;
