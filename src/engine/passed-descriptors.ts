/**
 * Descriptors that the caller has left open for the container's command: `--preserve-fds N`, and sockets of systemd's (sd_listen_fds(3)), which
 * whoever is activated by a socket hands on: they are 3, 4, … inside, as they are here. And stdin, stdout and stderr themselves, with
 * `--log-driver passthrough`.
 */
import { existsSync, readlinkSync } from 'node:fs';
import { isatty } from 'node:tty';
import { tsrunError } from '../errors.ts';
import type { ContainerRecord } from '../store/container-record.ts';

/** As many as are given numbers of their own on their way (launch-supervisor.ts). */
const MOST = 200;

export interface PassedDescriptors {
  /** Of this process, to be closed once the container has them. */
  descriptors: number[];
  /** For the command. */
  env: string[];
  /** What its stdin, stdout and stderr are, where they are tsrun's own. */
  stdio: number[] | undefined;
}

/**
 * @param preserve of --preserve-fds
 * @param record of the container that is started; undefined: sockets of systemd's are not for it
 * @throws ERR_TSRUN_USAGE when one is not open
 */
export function passedDescriptors(
  preserve: number,
  record?: Pick<ContainerRecord, 'name' | 'init' | 'restart' | 'logDriver'>,
): PassedDescriptors {
  const listening = record === undefined ? 0 : listenFds();
  const count = Math.max(preserve, listening);
  const descriptors = Array.from({ length: count }, (_, i) => 3 + i);
  const missing = descriptors.find((fd) => !isPassed(fd));
  if (missing !== undefined || count > MOST) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem:
        count > MOST
          ? `--preserve-fds ${count}: at most ${MOST} descriptors can be passed`
          : `descriptor ${missing} is not open, so it cannot be passed to the container`,
      hint: 'tsrun run --preserve-fds 1 IMAGE cat /proc/self/fd/3 3<file',
    });
  }
  const stdio = record?.logDriver === 'passthrough' ? ownStreams() : undefined;
  if ((count > 0 || stdio) && record?.restart) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `container ${record.name} has a restart policy: its later starts would not have the descriptors that are passed`,
    });
  }
  const names = process.env.LISTEN_FDNAMES;
  const env =
    listening === 0
      ? []
      : [
          `LISTEN_FDS=${listening}`,
          // --init is process 1, and its only child the command.
          `LISTEN_PID=${record?.init ? 2 : 1}`,
          ...(names === undefined ? [] : [`LISTEN_FDNAMES=${names}`]),
        ];
  return { descriptors, env, stdio };
}

/**
 * Whoever has a terminal can put words into it that its shell reads when the container has ended (ioctl TIOCSTI; CVE-2017-5226): a container
 * never gets the user's.
 */
function ownStreams(): number[] {
  const streams = [0, 1, 2];
  const terminal = streams.find((fd) => isatty(fd));
  if (terminal === undefined) return streams;
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `--log-driver passthrough: descriptor ${terminal} is a terminal, in which the container could type as you`,
    hint: 'tsrun run -it …   # a terminal of its own; or redirect all three: </dev/null >log 2>&1',
  });
}

/** They are ours only if LISTEN_PID says so; else they were somebody's above us, and are closed by now. */
function listenFds(): number {
  const { LISTEN_FDS: count = '', LISTEN_PID: pid } = process.env;
  return pid === String(process.pid) && /^\d{1,4}$/.test(count) ? Number(count) : 0;
}

/** Node has descriptors of its own: only the launcher saw which ones were there before. */
function isPassed(fd: number): boolean {
  const open = process.env.TSRUN_OPEN_FDS;
  if (open !== undefined) return open.split(' ').includes(String(fd));
  return existsSync(`/proc/self/fd/${fd}`) && !readlinkSync(`/proc/self/fd/${fd}`).startsWith('anon_inode:');
}
