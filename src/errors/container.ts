/** Containers, their volumes and what runs in them. The rows are explained in ../errors.ts. */
import { define } from './definition.ts';

export const CONTAINER_ERRORS = {
  ERR_TSRUN_SECCOMP_PROFILE: define<{ file: string; problem: string }>({
    exitCode: 125,
    message: (d) => `cannot use the seccomp profile ${d.file}: ${d.problem}`,
  }),
  ERR_TSRUN_NAME_IN_USE: define<{ name: string; holder: string }>({
    exitCode: 125,
    message: (d) => `the container name "${d.name}" is in use by container ${d.holder}`,
    hint: (d) => `tsrun rm ${d.name}   # or choose another --name`,
  }),
  ERR_TSRUN_NAME_INVALID: define<{ name: string }>({
    exitCode: 125,
    message: (d) =>
      `"${d.name}" cannot be a container name: use letters, digits, "_", "." and "-", 128 at most, beginning with a letter or digit`,
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
  ERR_TSRUN_CGROUP: define<{ container: string; lacking: string; hint?: string | undefined }>({
    exitCode: 125,
    message: (d) => `cannot start container ${d.container} with --cgroups=required: ${d.lacking}`,
    hint: (d) => d.hint ?? 'tsrun doctor',
  }),
  ERR_TSRUN_UPDATE: define<{ container: string; limit: string }>({
    exitCode: 125,
    message: (d) => `cannot change a limit of container ${d.container}: ${d.limit}`,
    hint: (d) => `tsrun stats ${d.container}   # what it uses now`,
  }),
  ERR_TSRUN_USER_UNKNOWN: define<{ kind: 'user' | 'group'; name: string }>({
    exitCode: 125,
    message: (d) => `the image has no ${d.kind} "${d.name}"`,
    hint: (d) =>
      `--user 1000:1000   # a number needs no entry in /etc/${d.kind === 'user' ? 'passwd' : 'group'}`,
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
  ERR_TSRUN_SUPERVISOR_GONE: define<{ container: string; doing: string }>({
    exitCode: 125,
    message: (d) => `cannot ${d.doing} container ${d.container}: its supervisor’s socket is gone`,
  }),
  ERR_TSRUN_EXIT_UNKNOWN: define<{ container: string }>({
    exitCode: 125,
    message: (d) =>
      `the exit status of container ${d.container} is not known: its supervisor ended before it could be recorded`,
    hint: (d) => `tsrun logs ${d.container}`,
  }),
} as const;
