/** Runs a command and times it: from before it is spawned until it has ended. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface Command {
  argv: readonly string[];
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  cwd?: string;
}

export interface Outcome {
  /** wall clock */
  ms: number;
  /** Exit status; null when a signal ended it. */
  status: number | null;
  stdout: string;
  stderr: string;
}

let count = 0;

/**
 * Its stdout and stderr are files: a reader at the other end of a pipe would compete with it for the processor.
 * @param scratch an existing directory. Rejects when the program cannot be started
 */
export async function timed(command: Command, scratch: string): Promise<Outcome> {
  const name = join(scratch, `output-${process.pid}-${count++}`);
  const [out, err] = [openSync(`${name}.out`, 'w+'), openSync(`${name}.err`, 'w+')];
  const [program = '', ...words] = command.argv;
  const options = { env: command.env, stdio: ['ignore' as const, out, err] };
  try {
    const start = process.hrtime.bigint();
    const child = spawn(
      program,
      words,
      command.cwd === undefined ? options : { ...options, cwd: command.cwd },
    );
    const [status, end] = await new Promise<[number | null, bigint]>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve([code, process.hrtime.bigint()]));
    });
    const text = (fd: number): string => readFileSync(`/proc/self/fd/${fd}`, 'utf8');
    return { ms: Number(end - start) / 1e6, status, stdout: text(out), stderr: text(err) };
  } finally {
    for (const fd of [out, err]) closeSync(fd);
    for (const suffix of ['out', 'err']) unlinkSync(`${name}.${suffix}`);
  }
}

/** Thrown when a command of the benchmark fails: says which one, and its own words. */
export class CommandFailure extends Error {
  constructor({ argv }: Command, { status, stdout, stderr }: Outcome) {
    const words = (stderr.trim() || stdout.trim()).split('\n').slice(-4).join('\n  ');
    super(`${argv.join(' ')}: exit status ${status}\n  ${words}`);
    this.name = 'CommandFailure';
  }
}
