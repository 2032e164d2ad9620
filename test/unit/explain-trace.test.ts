/** `--trace`: programs that really run, and what their records are read as. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { numberSteps } from '../../src/explain/numbered-steps.ts';
import { ProgramTrace, traceLine } from '../../src/explain/trace.ts';
import { call, close, op, pipe } from '../../src/sys/calls.ts';
import { AT_FDCWD, O_CLOEXEC, SIGCHLD } from '../../src/sys/constants.ts';
import { encodeProgram } from '../../src/sys/encode.ts';
import { TRACE_RECORD_SIZE } from '../../src/sys/format.ts';
import { runEncoded, SyscallFailure } from '../../src/sys/run.ts';
import { Slots, type Step } from '../../src/sys/step.ts';
import { waitForSuccess } from '../../src/sys/wait.ts';

const PLAIN = { width: Number.POSITIVE_INFINITY, color: false };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrun-trace-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Runs `steps`, traced. @returns the records, and what reads them */
function traced(steps: readonly Step[], slots: Slots): { records: Buffer; trace: ProgramTrace } {
  const program = { steps, slots };
  const encoded = encodeProgram(program);
  const file = join(directory, 'trace');
  const fd = openSync(file, 'a');
  try {
    runEncoded(encoded, { traceFd: fd });
  } catch (error) {
    if (!(error instanceof SyscallFailure)) throw error;
  } finally {
    closeSync(fd);
  }
  return { records: readFileSync(file), trace: new ProgramTrace(encoded, numberSteps([program])[0] ?? []) };
}

/** Makes a pipe and a child that reads from it. */
function conversation(): { steps: Step[]; slots: Slots } {
  const slots = new Slots();
  const read = slots.new('r');
  const write = slots.new('w');
  const pid = slots.new('child');
  const pidfd = slots.new('pidfd');
  const got = slots.new('got');
  const child: Step[] = [
    close('container', 'see the end of the pipe', write),
    call('container', 'wait for a word', 'read', [read, { buffer: 8 }, 8], { result: got }),
  ];
  const steps = [
    pipe('user', 'talk to the child', read, write, O_CLOEXEC),
    call('user', 'look for what need not be there', 'openat', [AT_FDCWD, '/no/such/file', 0, 0], {
      tolerate: ['ENOENT'],
    }),
    op(
      'user',
      'make a child',
      { kind: 'clone', flags: 0n, exitSignal: SIGCHLD, pidfd, child },
      { result: pid },
    ),
    call('user', 'say a word', 'write', [write, 'word', 4]),
    ...waitForSuccess('user', 'wait for the child', pidfd, slots),
    ...[read, write, pidfd].map((fd) => close('user', 'done', fd)),
  ];
  return { steps, slots };
}

describe('the trace of a program', () => {
  it('has one event for each executed step, of parent and child', () => {
    const { steps, slots } = conversation();
    const { records, trace } = traced(steps, slots);
    const events = trace.push(records);
    const expected = numberSteps([{ steps }]).flat();
    expect([...events].sort((a, b) => a.number - b.number).map(({ number }) => number)).toEqual(
      expected.map(({ number }) => number),
    );
    const actors = events.map(({ step }) => step.actor);
    expect(actors.filter((actor) => actor === 'container').length).toBe(2);
    const pids = new Set(events.map(({ pid }) => pid));
    expect(pids.size).toBe(2);
    expect(pids.has(process.pid)).toBe(true);
  });

  it('has results and times', () => {
    const { steps, slots } = conversation();
    const events = (({ records, trace }) => trace.push(records))(traced(steps, slots));
    const read = events.find(({ step }) => step.why === 'wait for a word');
    expect(read?.result).toBe(4);
    const missing = events.find(({ step }) => step.why.startsWith('look for'));
    expect(missing).toMatchObject({ result: -2, isFailure: false });
    for (const { microseconds, startedNs } of events) {
      expect(microseconds).toBeGreaterThanOrEqual(0);
      expect(startedNs).toBeGreaterThan(0n);
    }
  });

  it('is the same however the stream is cut', () => {
    const { steps, slots } = conversation();
    const { records, trace } = traced(steps, slots);
    const whole = trace.push(records);
    const pieces: Buffer[] = [];
    for (let at = 0; at < records.length; at += 7) pieces.push(records.subarray(at, at + 7));
    expect(pieces.flatMap((piece) => trace.push(piece))).toEqual(whole);
    expect(records.length % TRACE_RECORD_SIZE).toBe(0);
  });

  it('ends with the failure, in the system’s words', () => {
    const slots = new Slots();
    const steps = [
      call('user', 'enter a directory', 'chdir', ['/no/such/directory']),
      call('user', 'never reached', 'chdir', ['/']),
    ];
    const { records, trace } = traced(steps, slots);
    const events = trace.push(records);
    expect(events.map(({ isFailure }) => isFailure)).toEqual([true]);
    expect(events.map((event) => traceLine(trace, event, PLAIN))).toEqual([
      expect.stringMatching(
        /^ {4}1 user {8} +\d+ +\d+\.\d µs {2}chdir\("\/no\/such\/directory"\) → -1 ENOENT \(No such file or directory\): while trying to enter a directory$/,
      ),
    ]);
  });

  it('says calls as the plan does, with run-time values by name', () => {
    const { steps, slots } = conversation();
    const { records, trace } = traced(steps, slots);
    const lines = trace.push(records).map((event) => traceLine(trace, event, PLAIN));
    expect(lines[0]).toMatch(/^ {4}1 user {8} +\d+ +[\d.]+ µs {2}pipe2\(\[\$r, \$w\], O_CLOEXEC\) → 0$/);
    expect(lines[1]).toMatch(
      /openat\(AT_FDCWD, "\/no\/such\/file", O_RDONLY\) → -1 ENOENT \(No such file or directory\)$/,
    );
  });

  it('refuses records of another program', () => {
    const { steps, slots } = conversation();
    const { trace } = traced(steps, slots);
    const record = Buffer.alloc(TRACE_RECORD_SIZE);
    record.writeUInt32LE(100_000, 0);
    expect(() => trace.push(record)).toThrow(/names op 100000/);
  });
});
