/**
 * Docker's display: a line for each layer, changed in place. Lines are painted again at most twenty times a second, all in one write,
 * and never wider or more than the terminal, since a line that wraps or scrolls away cannot be reached any more.
 */
import { shortDigest } from '../../spec/digest.ts';
import type { Digest } from '../../spec/image.ts';
import type { PullEvent } from '../pull/events.ts';
import { eventLine, formatBar, formatBytes, STATUS_WORDS, type StatusWords } from './format.ts';
import type { Progress } from './progress.ts';

export interface Terminal {
  write(text: string): void;
  columns(): number;
  rows(): number;
}

type LayerEvent = Extract<PullEvent, { type: 'layer' }>;

const INTERVAL_MS = 50;
const BAR_WIDTH = 50;
/** What a line needs beside its bar. */
const BESIDE_BAR = 50;

function layerLine(event: LayerEvent, columns: number, words: StatusWords): string {
  const line = `${shortDigest(event.digest)}: ${words[event.status]}`;
  const { current, total } = event;
  if (current === undefined || total === undefined) return line.slice(0, columns - 1);
  const width = Math.min(BAR_WIDTH, columns - BESIDE_BAR);
  const bar = width < 5 ? '' : ` ${formatBar(current, total, width)}`;
  return `${line}${bar}  ${formatBytes(current)}/${formatBytes(total)}`.slice(0, columns - 1);
}

class TerminalProgress implements Progress {
  readonly #terminal: Terminal;
  readonly #words: StatusWords;
  readonly #layers = new Map<Digest, LayerEvent>();
  /** How many lines above the cursor are ours to change. */
  #painted = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(terminal: Terminal, words: StatusWords) {
    this.#terminal = terminal;
    this.#words = words;
  }

  listen(event: PullEvent): void {
    if (event.type === 'layer') {
      this.#layers.set(event.digest, event);
      this.#timer ??= setTimeout(() => this.#paint([]), INTERVAL_MS);
      return;
    }
    const line = eventLine(event);
    if (line === undefined) return;
    if (event.type === 'done' || event.type === 'pushed') {
      this.end();
      this.#terminal.write(`${line}\n`);
    } else {
      this.#paint([line]);
    }
  }

  /** Paints the last state, and leaves it. */
  end(): void {
    if (this.#timer !== undefined) this.#paint([]);
    this.#painted = 0;
    this.#layers.clear();
  }

  /** Puts `above` over the layers' lines, and these anew. */
  #paint(above: string[]): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const columns = this.#terminal.columns();
    const up = this.#painted === 0 ? '' : `\x1b[${this.#painted}A`;
    const lines = [...this.#layers.values()].map((event) => layerLine(event, columns, this.#words));
    const room = Math.max(1, this.#terminal.rows() - 2);
    const shown =
      lines.length > room
        ? [...lines.slice(0, room - 1), `… and ${lines.length - room + 1} more layers`]
        : lines;
    this.#terminal.write(`${up}\r\x1b[J${[...above, ...shown].map((line) => `${line}\n`).join('')}`);
    this.#painted = shown.length;
  }
}

export function terminalProgress(terminal: Terminal, words: StatusWords = STATUS_WORDS): Progress {
  return new TerminalProgress(terminal, words);
}
