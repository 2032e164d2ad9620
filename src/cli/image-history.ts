/** The history of an image: what its configuration says of each step, and how much the step's layer holds. */

import type { Engine } from '../engine/open-engine.ts';
import { shortDigest } from '../spec/digest.ts';
import type { HistoryEntry } from '../spec/image.ts';
import { type ImageRecord, isDangling } from '../store/image-record.ts';
import { LayerStore } from '../store/layers.ts';
import { ago, humanSize } from './format/human.ts';
import { type Row, withTemplateFields } from './format/list.ts';

export const HISTORY_HEADINGS = {
  ID: 'IMAGE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
  // podman's
  Created: 'CREATED',
  Tags: 'TAGS',
};

const MISSING = '<missing>';
/** As docker cuts commands. */
const COMMAND_LENGTH = 45;

interface HistoryOptions {
  noTrunc: boolean;
  /** Sizes and times as people say them. */
  human: boolean;
  /** milliseconds since 1970 */
  now: number;
}

interface Step {
  entry: HistoryEntry;
  /** bytes, unpacked */
  size: number;
}

/** Steps with their layers, the newest first. Layers that no step tells of are steps too. */
function stepsOf(engine: Engine, record: ImageRecord): Step[] {
  const layers = new LayerStore(engine.paths);
  const { history = [] } = engine.images.config(record);
  const sizes = record.layers.map(({ chainId }) => (layers.has(chainId) ? layers.record(chainId).size : 0));
  const steps = history.map((entry) => ({ entry, size: entry.empty_layer ? 0 : (sizes.shift() ?? 0) }));
  return [...steps, ...sizes.map((size) => ({ entry: {}, size }))].reverse();
}

function cut(command: string): string {
  const line = command.replaceAll(/\s+/g, ' ');
  return line.length > COMMAND_LENGTH ? `${line.slice(0, COMMAND_LENGTH - 1)}…` : line;
}

/** To the second, as docker prints it; what is no time stays as it is. */
function withoutFraction(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : date.toISOString().replace(/\.\d+Z$/, 'Z');
}

export function historyRows(engine: Engine, record: ImageRecord, options: HistoryOptions): Row[] {
  const { noTrunc, human, now } = options;
  const id = noTrunc ? record.imageId : shortDigest(record.imageId);
  const tags = engine.images.namesOf(record).flatMap((one) => (isDangling(one) ? [] : [one.reference]));
  return stepsOf(engine, record).map(({ entry, size }, i) => {
    const { created = '', created_by: command = '', comment = '' } = entry;
    const at = withoutFraction(created);
    const since = created === '' ? 'N/A' : human ? ago(created, now) : at;
    const row = {
      ID: i === 0 ? id : MISSING,
      CreatedAt: at,
      CreatedSince: since,
      CreatedBy: noTrunc ? command : cut(command),
      Size: human ? humanSize(size) : String(size),
      Comment: comment,
    };
    return withTemplateFields(row, { Created: () => since, Tags: () => (i === 0 ? tags : []) });
  });
}
