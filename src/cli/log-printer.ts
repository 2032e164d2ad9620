/** Log records → stdout and stderr. Many records go out in one write; a change of the stream, or a pause, sends what is held. */
import type { LogRecord } from '../engine/log-record.ts';
import { print, sayBytes } from './output.ts';

/** Bytes that are held at most. */
const HELD = 1 << 16;

export interface LogPrinterOptions {
  timestamps: boolean;
  /** What every line begins with. */
  prefix: string;
}

const NEWLINE = Buffer.from('\n');

export class LogPrinter implements Disposable {
  readonly #options: LogPrinterOptions;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #stream: LogRecord['stream'] = 'stdout';
  /** The last record of the stream was a part of a line. */
  readonly #inLine = { stdout: false, stderr: false };
  #timer: NodeJS.Immediate | undefined;

  constructor(options: LogPrinterOptions) {
    this.#options = options;
  }

  print(record: LogRecord): void {
    if (record.stream !== this.#stream) this.#flush();
    this.#stream = record.stream;
    const { timestamps, prefix } = this.#options;
    const head = this.#inLine[record.stream] ? '' : `${prefix}${timestamps ? `${record.time} ` : ''}`;
    this.#inLine[record.stream] = record.partial;
    if (head !== '') this.#hold(Buffer.from(head));
    this.#hold(record.bytes);
    if (!record.partial) this.#hold(NEWLINE);
    if (this.#heldBytes >= HELD) this.#flush();
    else this.#timer ??= setImmediate(() => this.#flush());
  }

  [Symbol.dispose](): void {
    this.#flush();
  }

  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #flush(): void {
    clearImmediate(this.#timer);
    this.#timer = undefined;
    if (this.#held.length === 0) return;
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#stream === 'stdout') print(bytes);
    else sayBytes(bytes);
  }
}
