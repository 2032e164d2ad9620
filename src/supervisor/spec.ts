/** What a supervisor is given on FD_SPEC: struct supervisor_spec of native/protocol.h, and the programs and texts behind it. */
import { attachFlags, type RestartOrders, restartFlags, type Streams } from './messages.ts';
import {
  EVENT_FIELDS_MAX,
  HEALTH_KILL,
  HEALTH_NONE,
  HEALTH_RESTART,
  HEALTH_STOP,
  LOG_FIELDS_MAX,
  LOG_JOURNALD,
  LOG_JSON_FILE,
  LOG_K8S_FILE,
  NEVER,
  SPEC_EXEC,
  SPEC_KILL_ORPHAN,
  SPEC_LOG,
  SPEC_MAGIC,
  SPEC_NOTIFY_HEALTHY,
  SPEC_REMOVE,
  SPEC_STDIN_ONCE,
} from './protocol.ts';

export interface SupervisorSpec {
  /** The images of encoded programs (sys/encode.ts). */
  start: Buffer;
  /** Run before the last exit is recorded, or, with `remove`, after it. */
  cleanup?: Buffer;
  /** The cleanup program removes the container. */
  remove?: boolean;
  /** Run after that, when the clients have been told of the end. */
  sweep?: Buffer;
  /** Of /proc/sys/kernel/random/boot_id, for state.json. */
  bootId: string;
  /** The streams that the first client is attached to. */
  attach?: Streams;
  /** Close the init's stdin when the client attached to it goes. */
  stdinOnce?: boolean;
  /** Kill the init when the first client goes. */
  killOrphan?: boolean;
  log?: {
    /** k8s-file when absent */
    driver?: 'k8s-file' | 'json-file' | 'journald';
    /** Where the file is; undefined = the container's directory. Of journald: its socket. */
    directory?: string | undefined;
    /** Of the file, at most 63 bytes. */
    name: string;
    /** What each record has besides (native/supervisor/log.h). */
    fields?: string | undefined;
    /** Bytes after which it is rotated; 0 = never. */
    maxBytes: number;
    /** How many files are kept, the current one included. */
    files: number;
  };
  /** Where its events go, and what each has besides (native/supervisor/event-log.h). */
  events?: { path: string; fields: string };
  /** It is a command in a container: its events are `exec` and `exec_died`. */
  exec?: boolean;
  restart?: RestartOrders;
  /** Kill it when a start has lasted so long. */
  runLimitMs?: number;
  /** memory.events or memory.oom_control of the container's own cgroup. */
  oomFile?: string;
  stop?: { signal: number; timeoutMs: number };
  /** sd_notify(3): the service manager's socket, and whether it is told that the container is ready when that is healthy. */
  notify?: { socket: string; whenHealthy: boolean };
  health?: HealthSpec;
}

export type HealthAction = 'none' | 'kill' | 'restart' | 'stop';

/** All times in milliseconds. */
export interface HealthTimes {
  /** 0 = only when asked for */
  intervalMs: number;
  timeoutMs: number;
  startPeriodMs: number;
  startIntervalMs: number;
  /** Failures in a row that make it unhealthy. */
  retries: number;
  onFailure: HealthAction;
}

export interface HealthSpec extends HealthTimes {
  /** The image of the program that puts a check's process into the container; its slots are as in native/protocol.h. */
  program: Buffer;
}

const HEALTH_ACTIONS = {
  none: HEALTH_NONE,
  kill: HEALTH_KILL,
  restart: HEALTH_RESTART,
  stop: HEALTH_STOP,
};
const LOG_DRIVERS = { 'k8s-file': LOG_K8S_FILE, 'json-file': LOG_JSON_FILE, journald: LOG_JOURNALD };

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

const HEADER_SIZE = 184;
const SIZE_AT = 4;

/** The bytes of the memfd. @throws RangeError for a name that does not fit */
export function encodeSpec(spec: SupervisorSpec): Buffer {
  const { log, restart, stop, health, events, notify } = spec;
  checkLength(log?.name ?? '', LOG_NAME_SIZE);
  checkLength(log?.fields ?? '', LOG_FIELDS_MAX + 1);
  checkLength(events?.fields ?? '', EVENT_FIELDS_MAX + 1);
  checkLength(spec.bootId, BOOT_ID_SIZE);
  const writer = new SpecWriter();
  const texts = [log?.directory, log?.name, log?.fields, spec.oomFile].map((text) => writer.text(text));
  const lastTexts = [events?.path, events?.fields, notify?.socket].map((text) => writer.text(text));
  writer.u32(SPEC_MAGIC);
  writer.u32(0); // the size, which finish() knows
  writer.u32(flagsOf(spec));
  writer.u32(restart?.when === 'on-failure' ? restart.limit : 0);
  writer.part(spec.start);
  writer.part(spec.cleanup);
  writer.part(spec.sweep);
  writer.part(health?.program);
  writer.textsPart();
  writer.u64(log?.maxBytes ?? 0);
  writer.u64(spec.runLimitMs ?? 0);
  writer.u32(LOG_DRIVERS[log?.driver ?? 'k8s-file']);
  writer.u32(log?.files ?? 0);
  for (const text of texts) writer.u32(text);
  writer.u32(stop?.signal ?? 0);
  writer.u32(stop ? time(stop.timeoutMs) : NEVER);
  writer.u32(time(health?.intervalMs ?? 0));
  writer.u32(time(health?.timeoutMs ?? 0));
  writer.u32(time(health?.startPeriodMs ?? 0));
  writer.u32(time(health?.startIntervalMs ?? 0));
  writer.u32(health?.retries ?? 0);
  writer.u32(HEALTH_ACTIONS[health?.onFailure ?? 'none']);
  for (const text of lastTexts) writer.u32(text);
  writer.u32(0); // for the size to be a multiple of 8
  return writer.finish(spec.bootId);
}

function flagsOf({
  attach,
  stdinOnce,
  killOrphan,
  log,
  restart,
  exec,
  remove,
  notify,
}: SupervisorSpec): number {
  return (
    (attach ? attachFlags(attach) : 0) |
    (stdinOnce ? SPEC_STDIN_ONCE : 0) |
    (killOrphan ? SPEC_KILL_ORPHAN : 0) |
    (log ? SPEC_LOG : 0) |
    (exec ? SPEC_EXEC : 0) |
    (remove ? SPEC_REMOVE : 0) |
    (notify?.whenHealthy ? SPEC_NOTIFY_HEALTHY : 0) |
    restartFlags(restart)
  );
}

/** Of more than 49 days, or below 0: never. */
const time = (ms: number): number => (ms < 0 || ms >= NEVER ? NEVER : Math.round(ms));

function checkLength(name: string, size: number): void {
  if (Buffer.byteLength(name) >= size) throw new RangeError(`the name ${JSON.stringify(name)} is too long`);
}
