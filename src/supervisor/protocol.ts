/**
 * The names and numbers of native/protocol.h, and frames as bytes. What frames mean is in messages.ts.
 * test/unit/supervisor/protocol.test.ts compares the two files.
 */
export const SPEC_MAGIC = 0x31535354;

export const FD_SPEC = 3;
export const FD_LISTEN = 4;
export const FD_CLIENT = 5;
export const FD_DIRECTORY = 6;
export const FD_TRACE = 7;
export const FD_EXTRA = 8;

export const SLOT_INIT_PID = 0;
export const SLOT_INIT_PIDFD = 1;
export const SLOT_STDIN = 2;
export const SLOT_STDOUT = 3;
export const SLOT_STDERR = 4;
export const SLOT_TERMINAL = 5;
export const SLOT_REPORT = 6;
export const SLOT_GO = 7;
export const SLOT_HELPERS = 8;
export const SLOT_TARGET = 9;
export const SLOT_NOTIFY = 10;
export const SLOT_FIRST_FREE = 11;

export const SPEC_ATTACH_STDIN = 1;
export const SPEC_ATTACH_STDOUT = 2;
export const SPEC_ATTACH_STDERR = 4;
export const SPEC_STDIN_ONCE = 8;
export const SPEC_KILL_ORPHAN = 16;
export const SPEC_LOG = 32;
export const SPEC_RESTART_ON_FAILURE = 64;
export const SPEC_RESTART_ALWAYS = 128;
export const SPEC_EXEC = 256;
export const SPEC_REMOVE = 512;
export const SPEC_NOTIFY_HEALTHY = 1024;

export const FRAME_STARTED = 1;
export const FRAME_FAILED = 2;
export const FRAME_STDOUT = 3;
export const FRAME_STDERR = 4;
export const FRAME_EXIT = 5;
export const FRAME_LOST = 6;
export const FRAME_PROBED = 7;
export const FRAME_POLICY_TAKEN = 8;
export const FRAME_ATTACH = 16;
export const FRAME_STDIN = 17;
export const FRAME_STDIN_EOF = 18;
export const FRAME_RESIZE = 19;
export const FRAME_SIGNAL = 20;
export const FRAME_DETACH = 21;
export const FRAME_PROBE = 22;
export const FRAME_POLICY = 23;

/** bytes of the fields that stand in each record */
export const LOG_FIELDS_MAX = 4096;
export const EVENT_FIELDS_MAX = 4096;
export const EVENT_LOG_MAX = 1048576;
export const LOG_K8S_FILE = 0;
export const LOG_JSON_FILE = 1;
export const LOG_JOURNALD = 2;

export const HEALTH_NONE = 0;
export const HEALTH_KILL = 1;
export const HEALTH_RESTART = 2;
export const HEALTH_STOP = 3;

/** Of a time in ms: it never comes. */
export const NEVER = 0xffffffff;

export const EXIT_EXITED = 0;
export const EXIT_SIGNALED = 1;
export const EXIT_UNKNOWN = 2;

/** In FAILED: no step of the program, but the spec or state.json. */
export const NO_OP = 0xffffffff;
/** Longest payload in bytes, in either direction. */
export const FRAME_MAX = 65536;
export const FRAME_HEADER_SIZE = 8;

/** One frame: its type (FRAME_*) and its payload. */
export interface Frame {
  type: number;
  payload: Buffer;
}

/** Header and payload as they go over the socket. @throws RangeError for a payload over FRAME_MAX */
export function encodeFrame(type: number, payload: Uint8Array = new Uint8Array()): Buffer {
  if (payload.length > FRAME_MAX) throw new RangeError(`a frame of ${payload.length} bytes is too long`);
  const frame = Buffer.alloc(FRAME_HEADER_SIZE + payload.length);
  frame.writeUInt8(type, 0);
  frame.writeUInt32LE(payload.length, 4);
  frame.set(payload, FRAME_HEADER_SIZE);
  return frame;
}

/** Cuts a byte stream into frames, however it was cut into chunks. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that `chunk` completes. @throws RangeError when the bytes are no frames: the connection is then of no use */
  push(chunk: Uint8Array): Frame[] {
    const bytes = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : Buffer.from(chunk);
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_SIZE) {
      const length = bytes.readUInt32LE(at + 4);
      if (length > FRAME_MAX) throw new RangeError(`a frame announces ${length} bytes`);
      const end = at + FRAME_HEADER_SIZE + length;
      if (end > bytes.length) break;
      frames.push({ type: bytes.readUInt8(at), payload: bytes.subarray(at + FRAME_HEADER_SIZE, end) });
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }

  /** Bytes of an unfinished frame: not 0 at the end of the stream means that it was cut. */
  get pending(): number {
    return this.#rest.length;
  }
}
