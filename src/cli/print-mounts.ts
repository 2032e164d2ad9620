/** What `tsrun mount` and `tsrun image mount` print: lines, or podman's JSON. */
import { value } from './options/option.ts';
import { print } from './output.ts';
import { oneOf } from './parse/words-of-choice.ts';

export const MOUNT_FORMAT = {
  format: value('json', 'Print JSON, an array of what is mounted and where', oneOf('--format', ['json'])),
};

/** Something mounted. */
export interface Mounted {
  /** hex */
  id: string;
  /** What a line begins with. */
  label: string;
  place: string;
  /** What else JSON has of it: the names. */
  names: Readonly<Record<string, readonly string[]>>;
}

/** Prints all. @param isBare of one thing that was asked for by its name, a line has only the place */
export function printMounts(
  mounted: readonly Mounted[],
  { format, isBare }: { format: string | undefined; isBare: boolean },
): void {
  if (format === undefined) {
    print(mounted.map(({ label, place }) => (isBare ? `${place}\n` : `${label} ${place}\n`)).join(''));
    return;
  }
  const byId = new Map(mounted.map((each) => [each.id, each]));
  const rows = [...byId.values()].map(({ id, names, place }) => ({ id, ...names, mountpoint: place }));
  print(`${JSON.stringify(rows, undefined, 1)}\n`);
}
