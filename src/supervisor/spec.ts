/** What a supervisor is given on FD_SPEC: struct supervisor_spec of native/protocol.h, and the programs behind it. */
import { attachFlags, type Streams } from './messages.ts';
import { SPEC_KILL_ORPHAN, SPEC_LOG, SPEC_MAGIC, SPEC_STDIN_ONCE } from './protocol.ts';

export interface SupervisorSpec {
  /** The images of encoded programs (sys/encode.ts). */
  start: Buffer;
  /** Run after the exit was recorded. */
  cleanup?: Buffer;
  /** Of /proc/sys/kernel/random/boot_id, for state.json. */
  bootId: string;
  /** The streams that the first client is attached to. */
  attach?: Streams;
  /** Close the init's stdin when the client attached to it goes. */
  stdinOnce?: boolean;
  /** Kill the init when the first client goes. */
  killOrphan?: boolean;
  log?: {
    /** A name in the container's directory, at most 63 bytes. */
    name: string;
    /** Bytes after which it is rotated; 0 = never. */
    maxBytes: number;
    /** How many files are kept, the current one included. */
    files: number;
  };
}

const HEADER_SIZE = 144;
const BOOT_ID_AT = 40;
const BOOT_ID_SIZE = 40;
const LOG_NAME_AT = 80;
const LOG_NAME_SIZE = 64;

const aligned = (size: number): number => Math.ceil(size / 8) * 8;

/** The bytes of the memfd. @throws RangeError for a name that does not fit */
export function encodeSpec(spec: SupervisorSpec): Buffer {
  const { start, cleanup = Buffer.alloc(0), log } = spec;
  const cleanupAt = aligned(HEADER_SIZE + start.length);
  const bytes = Buffer.alloc(cleanupAt + aligned(cleanup.length));
  const header = [
    SPEC_MAGIC,
    bytes.length,
    flagsOf(spec),
    HEADER_SIZE,
    start.length,
    cleanup.length ? cleanupAt : 0,
    cleanup.length,
    log?.files ?? 0,
  ];
  header.forEach((value, index) => {
    bytes.writeUInt32LE(value, 4 * index);
  });
  bytes.writeBigUInt64LE(BigInt(log?.maxBytes ?? 0), 32);
  writeName(bytes, BOOT_ID_AT, BOOT_ID_SIZE, spec.bootId);
  writeName(bytes, LOG_NAME_AT, LOG_NAME_SIZE, log?.name ?? '');
  bytes.set(start, HEADER_SIZE);
  bytes.set(cleanup, cleanupAt);
  return bytes;
}

function flagsOf({ attach, stdinOnce, killOrphan, log }: SupervisorSpec): number {
  return (
    (attach ? attachFlags(attach) : 0) |
    (stdinOnce ? SPEC_STDIN_ONCE : 0) |
    (killOrphan ? SPEC_KILL_ORPHAN : 0) |
    (log ? SPEC_LOG : 0)
  );
}

function writeName(bytes: Buffer, at: number, size: number, name: string): void {
  if (Buffer.byteLength(name) >= size) throw new RangeError(`the name ${JSON.stringify(name)} is too long`);
  bytes.write(name, at);
}
