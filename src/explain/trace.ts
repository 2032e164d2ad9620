/**
 * `--trace`: what is executed, as it is executed: struct trace_record of native/program.h, one for each op.
 *
 *     interpreter (any of its processes) --write(2)--> pipe --read--> ProgramTrace.push() --> TraceEvent --> traceLine()
 *
 * A record names its op by index, which means something only together with its program: so every program has a pipe of its own, and a
 * ProgramTrace. Clocks are one (CLOCK_MONOTONIC), so that events of several programs can be put in order. There is no record of an execve(2)
 * that succeeds: whoever would write it is gone.
 */
import type { EncodedProgram } from '../sys/encode.ts';
import { errnoName, errnoText } from '../sys/errno.ts';
import * as format from '../sys/format.ts';
import type { Step } from '../sys/step.ts';
import { describeCall, SlotNames } from './describe-call.ts';
import type { NumberedStep } from './numbered-steps.ts';
import { paint, printable, type Style } from './style.ts';

export interface TraceEvent {
  /** That of `tsrun explain`. */
  number: number;
  step: Step;
  depth: number;
  /** As the executing process sees itself: 1 in a new pid namespace. */
  pid: number;
  /** What the call returned: >= 0, or -errno. */
  result: number;
  /** Did the program go on? */
  isFailure: boolean;
  /** CLOCK_MONOTONIC, in nanoseconds. */
  startedNs: bigint;
  microseconds: number;
}

/** Ops that only move values in and out of memory around the call of their step. */
const AUXILIARY = new Set([format.OP_TEXT, format.OP_STORE, format.OP_LOAD, format.OP_END]);

/** Decodes the records of one program. */
export class ProgramTrace {
  readonly #encoded: EncodedProgram;
  readonly #numbers: Map<Step, NumberedStep>;
  readonly #slots = new SlotNames();
  #rest: Buffer = Buffer.alloc(0);

  /** @param steps those of the program, as numberSteps() gives them */
  constructor(encoded: EncodedProgram, steps: readonly NumberedStep[]) {
    this.#encoded = encoded;
    this.#numbers = new Map(steps.map((numbered) => [numbered.step, numbered]));
  }

  /** The events in `chunk`, however the stream was cut. @throws RangeError for a record that is none of this program */
  push(chunk: Uint8Array): TraceEvent[] {
    const bytes = Buffer.concat([this.#rest, chunk]);
    const whole = bytes.length - (bytes.length % format.TRACE_RECORD_SIZE);
    this.#rest = bytes.subarray(whole);
    const events: TraceEvent[] = [];
    for (let at = 0; at < whole; at += format.TRACE_RECORD_SIZE) {
      const event = this.#event(bytes.subarray(at, at + format.TRACE_RECORD_SIZE));
      if (event) events.push(event);
    }
    return events;
  }

  /** The call of an event's step; run-time values have the same names in all lines. */
  call(event: TraceEvent): string {
    return describeCall(event.step, this.#slots);
  }

  #event(record: Buffer): TraceEvent | undefined {
    const op = record.readUInt32LE(0);
    const step = this.#encoded.stepOf[op];
    const numbered = step && this.#numbers.get(step);
    if (!step || !numbered)
      throw new RangeError(`a trace record names op ${op}, which the program does not have`);
    const result = Number(record.readBigInt64LE(8));
    const isAuxiliary = AUXILIARY.has(this.#kind(op));
    // A value that is loaded may be negative; a text that cannot be built is a failure.
    if (isAuxiliary && (result >= 0 || this.#kind(op) === format.OP_LOAD)) return undefined;
    const startedNs = record.readBigUInt64LE(16);
    return {
      number: numbered.number,
      depth: numbered.depth,
      step,
      pid: record.readInt32LE(4),
      result,
      isFailure: result < 0 && !step.tolerate?.some((name) => name === errnoName(-result)),
      startedNs,
      microseconds: Number(record.readBigUInt64LE(24) - startedNs) / 1000,
    };
  }

  #kind(op: number): number {
    const { image } = this.#encoded;
    const opsAt = format.PROGRAM_HEADER_SIZE + 8 * image.readUInt32LE(8);
    return image.readUInt8(opsAt + format.OP_SIZE * op);
  }
}

const NUMBER_WIDTH = 5;
const ACTOR_WIDTH = 11;
const PID_WIDTH = 7;
const TIME_WIDTH = 8;

function resultText({ result, step, isFailure }: TraceEvent, style: Style): string {
  if (result >= 0) return paint(style, 'green', String(result));
  const text = `-1 ${errnoName(-result)} (${errnoText(-result)})`;
  return isFailure
    ? paint(style, 'red', `${text}: while trying to ${printable(step.why)}`)
    : paint(style, 'yellow', text);
}

/** `   42 container         1    12.3 µs  openat(…) = $fd → 5`. One line, without its newline. */
export function traceLine(trace: ProgramTrace, event: TraceEvent, style: Style): string {
  const head = [
    String(event.number).padStart(NUMBER_WIDTH),
    event.step.actor.padEnd(ACTOR_WIDTH),
    String(event.pid).padStart(PID_WIDTH),
    `${event.microseconds.toFixed(1).padStart(TIME_WIDTH)} µs `,
  ].join(' ');
  return `${paint(style, 'dim', head)} ${printable(trace.call(event))} → ${resultText(event, style)}`;
}
