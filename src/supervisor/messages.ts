/**
 * What a client and the supervisor say to each other: the frames of native/protocol.h as values.
 *
 *     client                                        supervisor
 *       | <------------------------- STARTED {pid} ---- |
 *       | <--- FAILED {program, op, errno} ------------ |
 *       | <------------------------- STDOUT / STDERR -- |
 *       | <--- EXIT {kind, value} --------------------- |
 *       | <------------------------- LOST {bytes} ----- |
 *       | ---- ATTACH {flags} ------------------------> |
 *       | ---- STDIN bytes / STDIN_EOF ---------------> |
 *       | ---- RESIZE {rows, cols, xpixel, ypixel} ---> |
 *       | ---- SIGNAL {number} -----------------------> |
 *       | ---- DETACH --------------------------------> |
 *       | ---- PROBE ---------------------------------> |
 *       | <------------------------- PROBED {status} -- |
 *       | ---- POLICY {flags, limit} -----------------> |
 *       | <------------------- POLICY_TAKEN {0 or 1} -- |
 */
import type { ExitStatus } from './exit-status.ts';
import * as protocol from './protocol.ts';

export type SupervisorMessage =
  | { type: 'started'; pid: number }
  /** `op` is the index of the failed op; undefined when it is none of the program's. `words`: what the helpers wrote to stderr. */
  | { type: 'failed'; program: 'start' | 'cleanup'; op: number | undefined; errno: number; words: string }
  | { type: 'stdout'; bytes: Buffer }
  | { type: 'stderr'; bytes: Buffer }
  | { type: 'exit'; status: ExitStatus }
  /** Of the health check that was asked for. */
  | { type: 'probed'; exitCode: number }
  /** Whether the restart policy holds that was sent. */
  | { type: 'policy'; taken: boolean }
  /** Output that this client was too slow to get while others were attached. */
  | { type: 'lost'; bytes: number };

/** Undefined for a type that this version does not know. @throws RangeError when the payload is too short for its type */
export function parseMessage({ type, payload }: protocol.Frame): SupervisorMessage | undefined {
  switch (type) {
    case protocol.FRAME_STARTED:
      return { type: 'started', pid: payload.readUInt32LE(0) };
    case protocol.FRAME_FAILED: {
      const op = payload.readUInt32LE(4);
      return {
        type: 'failed',
        program: payload.readUInt32LE(0) === 0 ? 'start' : 'cleanup',
        op: op === protocol.NO_OP ? undefined : op,
        errno: payload.readInt32LE(8),
        words: payload.toString('utf8', 12),
      };
    }
    case protocol.FRAME_STDOUT:
      return { type: 'stdout', bytes: payload };
    case protocol.FRAME_STDERR:
      return { type: 'stderr', bytes: payload };
    case protocol.FRAME_EXIT:
      return { type: 'exit', status: exitStatus(payload.readUInt32LE(0), payload.readUInt32LE(4)) };
    case protocol.FRAME_PROBED:
      return { type: 'probed', exitCode: payload.readUInt32LE(0) };
    case protocol.FRAME_POLICY_TAKEN:
      return { type: 'policy', taken: payload.readUInt32LE(0) !== 0 };
    case protocol.FRAME_LOST:
      return { type: 'lost', bytes: Number(payload.readBigUInt64LE(0)) };
    default:
      return undefined;
  }
}

function exitStatus(kind: number, value: number): ExitStatus {
  if (kind === protocol.EXIT_EXITED) return { kind: 'exited', code: value };
  if (kind === protocol.EXIT_SIGNALED) return { kind: 'signaled', signal: value };
  return { kind: 'unknown' };
}

/** Which streams a client wants. */
export interface Streams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

/** Of a command that nobody is attached to. */
export const NO_STREAMS: Streams = { stdin: false, stdout: false, stderr: false };

/** The SPEC_ATTACH_* bits of `streams`. */
export const attachFlags = (streams: Streams): number =>
  (streams.stdin ? protocol.SPEC_ATTACH_STDIN : 0) |
  (streams.stdout ? protocol.SPEC_ATTACH_STDOUT : 0) |
  (streams.stderr ? protocol.SPEC_ATTACH_STDERR : 0);

/** Start the container again when it ends: always, or `limit` times at most (0 = without end) after a failure. */
export type RestartOrders = { when: 'always' } | { when: 'on-failure'; limit: number };

/** The SPEC_RESTART_* bits. */
export const restartFlags = (restart: RestartOrders | undefined): number =>
  (restart?.when === 'always' ? protocol.SPEC_RESTART_ALWAYS : 0) |
  (restart?.when === 'on-failure' ? protocol.SPEC_RESTART_ON_FAILURE : 0);

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

/** From a later client: which streams it wants, replacing what it wanted before. */
export const attach = (streams: Streams): Buffer =>
  protocol.encodeFrame(protocol.FRAME_ATTACH, uint32(attachFlags(streams)));

/** Input of any length, in as many frames as it needs. */
export function stdin(bytes: Uint8Array): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += protocol.FRAME_MAX) {
    frames.push(protocol.encodeFrame(protocol.FRAME_STDIN, bytes.subarray(at, at + protocol.FRAME_MAX)));
  }
  return Buffer.concat(frames);
}

export const stdinEof = (): Buffer => protocol.encodeFrame(protocol.FRAME_STDIN_EOF);

/** The size of the user's terminal in characters. */
export function resize(rows: number, columns: number): Buffer {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  return protocol.encodeFrame(protocol.FRAME_RESIZE, size);
}

/** The user leaves on purpose: what was to end with this client goes on. */
export const detach = (): Buffer => protocol.encodeFrame(protocol.FRAME_DETACH);

/** Asks for a health check now; `probed` is the answer. */
export const probe = (): Buffer => protocol.encodeFrame(protocol.FRAME_PROBE);

/** Signal `number`, 1 to 64, to the init. */
export const signal = (number: number): Buffer => protocol.encodeFrame(protocol.FRAME_SIGNAL, uint32(number));

/** Another restart policy than the one of its start; `policy` is the answer. Undefined: none. */
export function policy(restart: RestartOrders | undefined): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(restartFlags(restart), 0);
  bytes.writeUInt32LE(restart?.when === 'on-failure' ? restart.limit : 0, 4);
  return protocol.encodeFrame(protocol.FRAME_POLICY, bytes);
}
