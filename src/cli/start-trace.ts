/** `run --trace`: what was executed to start a container, in the order of time, as soon as it has started or could not. */
import { closeSync, readSync } from 'node:fs';
import { numberSteps } from '../explain/numbered-steps.ts';
import { styleFor } from '../explain/style.ts';
import { ProgramTrace, traceLine } from '../explain/trace.ts';
import { call, pipe } from '../sys/calls.ts';
import { O_CLOEXEC, O_NONBLOCK } from '../sys/constants.ts';
import type { EncodedProgram } from '../sys/encode.ts';
import { nativeRunner } from '../sys/run.ts';
import { Slots } from '../sys/step.ts';
import { say } from './output.ts';

interface Programs {
  user: EncodedProgram;
  supervisor: EncodedProgram;
}

export interface StartTrace extends Disposable {
  options: {
    trace: { user: number; supervisor: number };
    onPrograms: (programs: Programs) => void;
  };
  /** Prints what has been recorded, to stderr. */
  print(): void;
}

const F_SETPIPE_SZ = 1031;
/** Holds 32 000 records; a start has a few hundred, and a full pipe would hold it up. */
const PIPE_SIZE = 1 << 20;

function tracePipe(): { read: number; write: number } {
  const slots = new Slots();
  const read = slots.new('trace.r');
  const write = slots.new('trace.w');
  const why = 'record what is executed';
  const results = nativeRunner.run({
    slots,
    steps: [
      pipe('user', why, read, write, O_CLOEXEC | O_NONBLOCK),
      call('user', why, 'fcntl', [write, F_SETPIPE_SZ, PIPE_SIZE], { tolerate: ['EPERM'] }),
    ],
  });
  return { read: results(read), write: results(write) };
}

/** All that is in the pipe at this moment. */
function drain(fd: number): Buffer {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(1 << 16);
  for (;;) {
    let length: number;
    try {
      length = readSync(fd, chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return Buffer.concat(chunks);
      throw error;
    }
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(Buffer.from(chunk.subarray(0, length)));
  }
}

export function startTrace(): StartTrace {
  const user = tracePipe();
  const supervisor = tracePipe();
  let programs: Programs | undefined;
  return {
    options: {
      trace: { user: user.write, supervisor: supervisor.write },
      onPrograms: (made) => {
        programs = made;
      },
    },
    print: () => {
      if (programs) printRecords(programs, drain(user.read), drain(supervisor.read));
    },
    [Symbol.dispose]: () => {
      for (const fd of [user.read, user.write, supervisor.read, supervisor.write]) closeSync(fd);
    },
  };
}

function printRecords(programs: Programs, user: Buffer, supervisor: Buffer): void {
  const style = styleFor(process.stderr);
  const steps = numberSteps([programs.user.program, programs.supervisor.program]);
  const lines = [
    { encoded: programs.user, bytes: user },
    { encoded: programs.supervisor, bytes: supervisor },
  ].flatMap(({ encoded, bytes }, i) => {
    const trace = new ProgramTrace(encoded, steps[i] ?? []);
    return trace.push(bytes).map((event) => ({ at: event.startedNs, text: traceLine(trace, event, style) }));
  });
  lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  say(lines.map(({ text }) => `${text}\n`).join(''));
}
