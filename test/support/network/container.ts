/** The network of a container and nothing else of it: a supervisor, an init in a namespace of its own, the driver's steps. */
import { closeSync, mkdtempSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { PortClaim } from '../../../src/network/claim-ports.ts';
import type { NetworkDriver } from '../../../src/network/driver.ts';
import { FORWARD_FIRST_FD } from '../../../src/network/forward/config.ts';
import { call, close, op, pipe } from '../../../src/sys/calls.ts';
import * as c from '../../../src/sys/constants.ts';
import { nativeDirectory } from '../../../src/sys/native-directory.ts';
import { nativeRunner } from '../../../src/sys/run.ts';
import { type Slot, Slots, type Step } from '../../../src/sys/step.ts';

export interface Container {
  supervisor: number;
  init: number;
  /** Pids of the supervisor's other children. */
  helpers: number[];
  directory: string;
  /** What the helpers wrote to stderr. */
  words: () => string;
}

const isGone = (pid: number): boolean => {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
};

/** Waits until all have ended; the test's time limit is the only one. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  while (!pids.every(isGone)) await new Promise((resolve) => setTimeout(resolve, 5));
}

const say = (why: string, fd: Slot, values: readonly Slot[]): Step =>
  call('supervisor', why, 'write', [
    fd,
    { fields: values.map((from) => ({ width: 4, from })) },
    4 * values.length,
  ]);

/** Blocks for ever: nobody writes to this pipe. */
const forever = (actor: 'supervisor' | 'container', slots: Slots): Step[] => {
  const [r, w] = [slots.new('never.r'), slots.new('never.w')];
  return [
    pipe(actor, 'nothing comes here', r, w, c.O_CLOEXEC),
    call(actor, 'wait', 'read', [r, { buffer: 8 }, 1]),
  ];
};

function initSteps(slots: Slots, sysctls: Readonly<Record<string, string>>): Step[] {
  const socket = slots.new('socket');
  const name = new Uint8Array(16);
  name.set(Buffer.from('lo'));
  const up = { fields: [{ bytes: name }, { width: 2 as const, value: 0x41 }, { bytes: new Uint8Array(22) }] };
  return [
    call('container', 'die with the supervisor', 'prctl', [c.PR_SET_PDEATHSIG, c.SIGKILL, 0, 0, 0]),
    call('container', 'as closed to others as the real one', 'prctl', [c.PR_SET_DUMPABLE, 0, 0, 0, 0]),
    call('container', 'a socket', 'socket', [c.AF_INET, c.SOCK_DGRAM, 0], { result: socket }),
    call('container', 'lo up', 'ioctl', [socket, c.SIOCSIFFLAGS, up]),
    ...Object.entries(sysctls).flatMap(([key, value]) => {
      const fd = slots.new(key);
      const path = `/proc/sys/${key.replaceAll('.', '/')}`;
      return [
        call('container', key, 'openat', [c.AT_FDCWD, path, c.O_WRONLY, 0], { result: fd }),
        call('container', key, 'write', [fd, value, value.length]),
      ];
    }),
    call('container', 'no descriptors', 'close_range', [3, 0xffffffff, 0]),
    ...forever('container', slots),
  ];
}

/** @throws with the failed step and the helpers' words */
export async function startContainer(
  driver: NetworkDriver,
  { ports, sockets }: Pick<PortClaim, 'ports' | 'sockets'>,
  parent: string,
  flags = 0n,
): Promise<Container> {
  const directory = mkdtempSync(join(parent, 'c-'));
  const slots = new Slots();
  const [supervisor, init, report, reportW, words, stderr] = ['sup', 'init', 'r', 'w', 'words', 'stderr'].map(
    (name) => slots.new(name),
  ) as [Slot, Slot, Slot, Slot, Slot, Slot];
  const executable = process.env.TSRUN_TEST_SUPERVISOR ?? join(nativeDirectory(), 'supervisor');
  const attach = driver.attach({ slots, initPid: init, ports, stderr, directory, executable });
  const results = nativeRunner.run({
    slots,
    steps: [
      pipe('user', 'what the supervisor says', report, reportW, c.O_CLOEXEC),
      pipe('user', 'what helpers say', words, stderr, c.O_CLOEXEC | c.O_NONBLOCK),
      op(
        'user',
        'the supervisor',
        {
          kind: 'clone',
          flags: 0n,
          exitSignal: c.SIGCHLD,
          child: [
            op('supervisor', 'say which step fails', { kind: 'report', fd: reportW }),
            ...sockets.map((fd, i) =>
              call('supervisor', 'claimed', 'dup3', [fd, FORWARD_FIRST_FD + i, c.O_CLOEXEC]),
            ),
            ...sockets.map((fd) => close('supervisor', 'it has its place', fd)),
            op(
              'supervisor',
              'the init',
              {
                kind: 'clone',
                flags: c.CLONE_NEWNET | flags,
                exitSignal: c.SIGCHLD,
                child: initSteps(slots, driver.sysctls),
              },
              { result: init },
            ),
            ...attach,
            say('all is attached', reportW, [init, init, init]), // 12 bytes: a failure record has 8
            close('supervisor', 'said', reportW),
            ...forever('supervisor', slots),
          ],
        },
        { result: supervisor },
      ),
      close('user', 'the supervisor has it', reportW),
      close('user', 'the supervisor has it', stderr),
    ],
  });
  return settle({
    supervisor: results(supervisor),
    report: results(report),
    words: results(words),
    attach,
    directory,
  });
}

interface Started {
  supervisor: number;
  report: number;
  words: number;
  attach: readonly Step[];
  directory: string;
}

function settle({ supervisor, report, words, directory }: Started): Container {
  const buffer = Buffer.alloc(64);
  const length = readSync(report, buffer);
  closeSync(report);
  const said = (): string => {
    try {
      const text = Buffer.alloc(4096);
      return text.toString('utf8', 0, readSync(words, text));
    } catch {
      return ''; // EAGAIN: nothing
    }
  };
  if (length !== 12) {
    throw new Error(
      `op ${buffer.readUInt32LE(0)} failed with errno ${buffer.readInt32LE(4)}; helpers said: ${said()}`,
    );
  }
  const init = buffer.readInt32LE(0);
  const children = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);
  return { supervisor, init, helpers: children.filter((pid) => pid !== init), directory, words: said };
}
