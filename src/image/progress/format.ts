/** Words and figures of pulls and pushes, as docker writes them. */
import { shortDigest } from '../../spec/digest.ts';
import { printable } from '../../spec/printable.ts';
import { parseName } from '../../spec/reference.ts';
import type { LayerStatus, PullEvent } from '../pull/events.ts';

export type StatusWords = Readonly<Record<LayerStatus, string>>;

export const STATUS_WORDS: StatusWords = {
  waiting: 'Pulling fs layer',
  exists: 'Already exists',
  shared: 'Waiting for another pull',
  downloading: 'Downloading',
  verifying: 'Verifying Checksum',
  downloaded: 'Download complete',
  extracting: 'Extracting',
  complete: 'Pull complete',
  present: 'Layer already exists',
  mounted: 'Mounted from another repository',
  compressing: 'Compressing',
  compressed: 'Compressed',
  pushing: 'Pushing',
  pushed: 'Pushed',
};

/** Of what is on this machine already: an archive, a container's changes. */
export const LOCAL_STATUS_WORDS: StatusWords = {
  ...STATUS_WORDS,
  waiting: 'Waiting',
  shared: 'Waiting for another command',
  downloading: 'Reading',
  downloaded: 'Read',
  extracting: 'Unpacking',
  complete: 'Complete',
};

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `12.34MB`: powers of ten, four significant digits, as docker's go-units. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${UNITS[unit]}`;
}

/** `[====>     ]` of `width` characters inside. */
export function formatBar(current: number, total: number, width: number): string {
  const done = total === 0 ? width : Math.min(width, Math.floor((current / total) * width));
  const bar = done === width ? '='.repeat(width) : `${'='.repeat(Math.max(0, done - 1))}>`.padEnd(width);
  return `[${done === 0 ? '>'.padEnd(width) : bar}]`;
}

/** `docker.io/library/httpd:latest` → `httpd:latest`, for docker's closing line. */
export function familiarName(reference: string): string {
  return reference.replace(/^docker\.io\/(?:library\/)?/, '');
}

/** The lines of events that are not about one layer; undefined for those that are. */
export function eventLine(event: PullEvent): string | undefined {
  switch (event.type) {
    case 'resolved':
      return `${event.written} → ${event.reference}`;
    case 'pulling':
      return `${event.tag}: Pulling from ${parseName(event.from).path}${event.via === undefined ? '' : ` (mirror ${event.via})`}`;
    case 'pushing':
      return `The push refers to repository [${event.to}]`;
    case 'pushed':
      return `${event.reference}: digest: ${event.digest} size: ${event.size}`;
    case 'retry': {
      const who = event.digest === undefined ? '' : `${shortDigest(event.digest)}: `;
      return `${who}Retrying in ${Math.ceil(event.delayMs / 1000)} s (${printable(event.problem)})`;
    }
    case 'warning':
      return `warning: ${printable(event.text)}`;
    case 'done': {
      const status = event.isNew ? 'Downloaded newer image' : 'Image is up to date';
      return `Digest: ${event.digest}\nStatus: ${status} for ${familiarName(event.reference)}`;
    }
    case 'layer':
      return undefined;
  }
}
