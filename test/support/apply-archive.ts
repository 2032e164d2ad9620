/** Applies archives to directories of a test, as the worker does, but unprivileged and without a chroot. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApplyCounts, LayerApplier } from '../../src/image/unpack/apply-layer.ts';
import { DEFAULT_LIMITS, type UnpackLimits } from '../../src/image/unpack/limits.ts';
import type { Ownership } from '../../src/image/unpack/owner.ts';
import { TarReader } from '../../src/image/unpack/tar-reader.ts';
import { FakeUnpackHost } from './fake-unpack-host.ts';

export interface Layers {
  host: FakeUnpackHost;
  /** The topmost first. */
  directories: string[];
  counts: ApplyCounts;
}

export interface ApplyArchiveOptions {
  ownership?: Ownership;
  limits?: Partial<UnpackLimits>;
  host?: FakeUnpackHost;
}

const single: Ownership = { kind: 'single' };

/** Applies one layer after the other, each on top of those before it. */
export function applyLayers(archives: readonly Buffer[], options: ApplyArchiveOptions = {}): Layers {
  const host = options.host ?? new FakeUnpackHost();
  const directories: string[] = [];
  let counts: ApplyCounts | undefined;
  const umask = process.umask(0);
  try {
    for (const archive of archives) {
      const base = fs.mkdtempSync(join(tmpdir(), 'tsrun-layer-'));
      const lowers = directories.map((directory) => ({
        fd: fs.openSync(directory, 'r'),
        names: fs.readdirSync(directory, 'latin1'),
      }));
      directories.unshift(base);
      try {
        const limits = { ...DEFAULT_LIMITS, ...options.limits };
        const applier = new LayerApplier({
          host,
          lowers,
          ownership: options.ownership ?? single,
          limits,
          base,
        });
        const reader = new TarReader(applier);
        try {
          reader.write(archive);
          reader.finish();
          counts = applier.finish();
        } finally {
          applier.close();
        }
      } finally {
        for (const { fd } of lowers) fs.closeSync(fd);
      }
    }
  } catch (error) {
    for (const directory of directories) fs.rmSync(directory, { recursive: true, force: true });
    throw error;
  } finally {
    process.umask(umask);
  }
  return { host, directories, counts: counts as ApplyCounts };
}

/** One line per file of the topmost layer: `path type mode[ content or target][ xattrs]`, sorted. */
export function listLayer({ host, directories }: Layers): string[] {
  const base = directories[0] as string;
  const lines: string[] = [];
  // in its namespaces the worker is 0:0; here its files are the tester's, which a copy of them takes for a foreign owner
  const own = `${process.geteuid?.()}:${process.getegid?.()}:`;
  const visit = (path: string): void => {
    const full = `${base}/${path}`;
    const stats = fs.lstatSync(full);
    const node = host.nodes.get(full);
    const mode = (stats.mode & 0o7777).toString(8);
    let line = `${path || '.'} `;
    if (node === '20600 0:0') line += 'whiteout';
    else if (node) line += `node ${node}`;
    else if (stats.isSymbolicLink()) line += `-> ${fs.readlinkSync(full)}`;
    else line += stats.isDirectory() ? `dir ${mode}` : `file ${mode} ${fs.readFileSync(full, 'latin1')}`;
    const xattrs = Object.entries(host.xattrs.get(full) ?? {})
      .filter(([, value]) => !value.startsWith(own))
      .map(([k, v]) => ` ${k}=${v}`);
    lines.push(line + xattrs.join(''));
    if (!stats.isDirectory()) return;
    for (const name of fs.readdirSync(full).sort()) visit(path ? `${path}/${name}` : name);
  };
  visit('');
  return lines;
}

export const removeLayers = ({ directories }: Layers): void => {
  for (const directory of directories) fs.rmSync(directory, { recursive: true, force: true });
};
