/**
 * What is in a tar archive that holds an image, and where: names are found by reading its headers only.
 *
 * Such an archive is unpacked by nobody, so that no entry can write anywhere. What is refused here is what two readers could take for
 * different images, or what no honest tool writes: names that lead out of the archive, two files of one name, devices, a cut end.
 */
import { parseDecimal, parsePax } from '../unpack/pax.ts';
import { type ByteString, displayName } from '../unpack/tar-entry.ts';
import { BLOCK, isZeroBlock, parseTarHeader, type TarHeader } from '../unpack/tar-header.ts';

export type IndexedEntry =
  | { kind: 'file'; offset: number; size: number }
  /** `target` is a name of the archive. */
  | { kind: 'link'; target: string };

/** Why an archive is refused. */
export class ArchiveProblem extends Error {}

/** Reads exactly `length` bytes at `offset`, or throws {@link ArchiveProblem}. */
export type ReadAt = (offset: number, length: number) => Buffer;

const MAX_ENTRIES = 100_000;
const MAX_EXTENDED = 1 << 20;

/** What extended headers say of the next entry. */
interface Overrides {
  path?: ByteString;
  linkpath?: ByteString;
  size?: number;
}

/** The name without `./` and slashes at its end. Throws ArchiveProblem when it leads out of the archive. */
export function cleanName(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (!name.startsWith('/') && !parts.includes('..')) return parts.join('/');
  throw new ArchiveProblem(`its entry "${name}" leads out of it`);
}

/** Where a symbolic link in `directory` leads. Throws ArchiveProblem when that is outside. */
function linkTarget(name: string, target: string, isHard: boolean): string {
  const base = isHard ? [] : name.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..' && base.length > 0) base.pop();
    else if (part === '..') throw new ArchiveProblem(`the link "${name}" in it leads out of it`);
    else if (part !== '' && part !== '.') base.push(part);
  }
  if (target.startsWith('/')) throw new ArchiveProblem(`the link "${name}" in it leads out of it`);
  return base.join('/');
}

/** The files and links of an archive of `total` bytes, by their names. Throws ArchiveProblem naming the entry. */
export function indexTar(readAt: ReadAt, total: number): Map<string, IndexedEntry> {
  const entries = new Map<string, IndexedEntry>();
  let overrides: Overrides = {};
  let count = 0;
  for (let at = 0; at < total; ) {
    const block = readAt(at, BLOCK);
    if (isZeroBlock(block)) break;
    const parsed = parseTarHeader(block);
    if (!parsed.ok) throw new ArchiveProblem(`at byte ${at}: ${parsed.problem}`);
    if (++count > MAX_ENTRIES) throw new ArchiveProblem(`it has more than ${MAX_ENTRIES} entries`);
    const { header } = parsed;
    const size = contentSize(header, overrides);
    const name = displayName(overrides.path ?? header.name);
    const next = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (next > total) throw new ArchiveProblem(`it is cut short in "${name}"`);
    if ('xgLK'.includes(header.flag)) {
      overrides = { ...overrides, ...readOverrides(readAt, at + BLOCK, header, size) };
    } else {
      addEntry(entries, name, header, { offset: at + BLOCK, size, linkpath: overrides.linkpath });
      overrides = {};
    }
    at = next;
  }
  return entries;
}

/** Links and directories have no content, whatever their headers say. */
const contentSize = (header: TarHeader, overrides: Overrides): number =>
  '125'.includes(header.flag)
    ? 0
    : 'xgLK'.includes(header.flag)
      ? header.size
      : (overrides.size ?? header.size);

function readOverrides(readAt: ReadAt, at: number, header: TarHeader, size: number): Overrides {
  if (size > MAX_EXTENDED) throw new ArchiveProblem(`at byte ${at}: an extended header of ${size} bytes`);
  if (header.flag === 'g') return {};
  const body = readAt(at, size);
  if (header.flag === 'L' || header.flag === 'K') {
    const end = body.indexOf(0);
    const text = body.toString('latin1', 0, end === -1 ? size : end);
    return header.flag === 'L' ? { path: text } : { linkpath: text };
  }
  const pax = parsePax(body);
  if (!pax.ok) throw new ArchiveProblem(`at byte ${at}: ${pax.problem}`);
  const { values } = pax.records;
  const text = (key: string): string | undefined => values.get(key)?.toString('latin1');
  const [path, linkpath, length] = [text('path'), text('linkpath'), text('size')];
  const wanted = length === undefined ? undefined : parseDecimal(length);
  if (length !== undefined && wanted === undefined)
    throw new ArchiveProblem(`at byte ${at}: its extended header has the size "${displayName(length)}"`);
  return {
    ...(path !== undefined && { path }),
    ...(linkpath !== undefined && { linkpath }),
    ...(wanted !== undefined && { size: wanted }),
  };
}

function addEntry(
  entries: Map<string, IndexedEntry>,
  written: string,
  header: TarHeader,
  { offset, size, linkpath }: { offset: number; size: number; linkpath: ByteString | undefined },
): void {
  const name = cleanName(written);
  if (header.flag === '5') return;
  if (entries.has(name)) throw new ArchiveProblem(`it has two entries "${name}"`);
  if (header.flag === '1' || header.flag === '2') {
    const target = linkTarget(name, displayName(linkpath ?? header.linkname), header.flag === '1');
    entries.set(name, { kind: 'link', target });
  } else if ('0\x007'.includes(header.flag)) entries.set(name, { kind: 'file', offset, size });
  else throw new ArchiveProblem(`its entry "${name}" is neither file, link nor directory`);
}
