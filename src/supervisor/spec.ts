/** What a supervisor is given on FD_SPEC: struct supervisor_spec of native/protocol.h, and the programs and texts behind it. */
import { attachFlags, type Streams } from './messages.ts';
import {
  SPEC_KILL_ORPHAN,
  SPEC_LOG,
  SPEC_MAGIC,
  SPEC_RESTART_ALWAYS,
  SPEC_RESTART_ON_FAILURE,
  SPEC_STDIN_ONCE,
} from './protocol.ts';

export interface SupervisorSpec {
  /** The images of encoded programs (sys/encode.ts). */
  start: Buffer;
  /** Run after the last exit was recorded. */
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
  /** Start the container again when it ends: always, or `limit` times at most (0 = without end) after a failure. */
  restart?: { when: 'always' } | { when: 'on-failure'; limit: number };
}

const BOOT_ID_SIZE = 40;
const LOG_NAME_SIZE = 64;

const align = (size: number): number => Math.ceil(size / 8) * 8;

/** The header's fields in their order, and what comes behind it. */
class SpecWriter {
  readonly #header = Buffer.alloc(HEADER_SIZE);
  readonly #parts: Buffer[] = [];
  #at = 0;
  #size = HEADER_SIZE;
  /** Strings that end with NUL, the first of them empty. */
  #texts: Buffer = Buffer.alloc(1);

  u32(value: number): void {
    this.#at = this.#header.writeUInt32LE(value, this.#at);
  }

  u64(value: number): void {
    this.#at = this.#header.writeBigUInt64LE(BigInt(value), this.#at);
  }

  /** The offset among the texts; 0 for none. */
  text(text: string | undefined): number {
    if (!text) return 0;
    const offset = this.#texts.length;
    this.#texts = Buffer.concat([this.#texts, Buffer.from(`${text}\0`)]);
    return offset;
  }

  /** struct spec_part */
  part(bytes: Buffer | undefined): void {
    const length = bytes?.length ?? 0;
    this.u32(length > 0 ? this.#size : 0);
    this.u32(length);
    if (!bytes) return;
    const padded = Buffer.alloc(align(length));
    padded.set(bytes);
    this.#parts.push(padded);
    this.#size += padded.length;
  }

  /** The texts, when all have been added. */
  textsPart(): void {
    this.part(this.#texts);
  }

  /** The last field, and the size at its place. */
  finish(name: string): Buffer {
    this.#header.write(name, this.#at);
    this.#header.writeUInt32LE(this.#size, SIZE_AT);
    return Buffer.concat([this.#header, ...this.#parts]);
  }
}

const HEADER_SIZE = 96;
const SIZE_AT = 4;

/** The bytes of the memfd. @throws RangeError for a name that does not fit */
export function encodeSpec(spec: SupervisorSpec): Buffer {
  const { log, restart } = spec;
  checkLength(log?.name ?? '', LOG_NAME_SIZE);
  checkLength(spec.bootId, BOOT_ID_SIZE);
  const writer = new SpecWriter();
  const logName = writer.text(log?.name);
  writer.u32(SPEC_MAGIC);
  writer.u32(0); // the size, which finish() knows
  writer.u32(flagsOf(spec));
  writer.u32(restart?.when === 'on-failure' ? restart.limit : 0);
  writer.part(spec.start);
  writer.part(spec.cleanup);
  writer.textsPart();
  writer.u64(log?.maxBytes ?? 0);
  writer.u32(log?.files ?? 0);
  writer.u32(logName);
  return writer.finish(spec.bootId);
}

function flagsOf({ attach, stdinOnce, killOrphan, log, restart }: SupervisorSpec): number {
  return (
    (attach ? attachFlags(attach) : 0) |
    (stdinOnce ? SPEC_STDIN_ONCE : 0) |
    (killOrphan ? SPEC_KILL_ORPHAN : 0) |
    (log ? SPEC_LOG : 0) |
    (restart?.when === 'always' ? SPEC_RESTART_ALWAYS : 0) |
    (restart?.when === 'on-failure' ? SPEC_RESTART_ON_FAILURE : 0)
  );
}

function checkLength(name: string, size: number): void {
  if (Buffer.byteLength(name) >= size) throw new RangeError(`the name ${JSON.stringify(name)} is too long`);
}
