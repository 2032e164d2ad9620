/**
 * `large` and `larger`: what the pull is measured with. Real packages of this machine, as many as make about 65 MB compressed in one
 * layer, and about 145 MB in five; and `layered`, the same kind of files in forty layers.
 */
import {
  entriesOf,
  installedPackages,
  packageFiles,
  rootLinks,
  withDependencies,
} from './debian-packages.ts';
import type { Layer, Recipe } from './oci-layout.ts';
import type { Entry } from './tar-archive.ts';

/** Layers, the lowest first, of packages that the tests need anyway. */
const SEEDS = [['apache2', 'openssl'], ['systemd', 'man-db'], ['podman', 'skopeo'], ['gcc']];
/** Uncompressed bytes. */
const LARGE = 160e6;
const LARGER = 362e6;
const LAYERED = 100e6;
const LAYERS = 40;

/** Entries in groups, each without what the groups before it have, and all of them together with at most `most` bytes of content. */
function groups(most: number): Entry[][] {
  const required = [...installedPackages()].filter(([, found]) => found.required).map(([name]) => name);
  const links = rootLinks();
  const seen = new Set(links.map(({ path }) => path));
  let left = most;
  const seeds: string[] = [];
  const dropped = new Set<string>();
  const found = [required, ...SEEDS].map((names) => {
    seeds.push(...names);
    const paths = packageFiles(withDependencies(seeds)).filter((path) => !seen.has(path));
    for (const path of paths) seen.add(path);
    return entriesOf(paths).filter((entry) => {
      const size = entry.type === 'file' ? entry.content.length : 0;
      const isWanted = size <= left && !(entry.type === 'hardlink' && dropped.has(entry.target));
      if (isWanted) left -= size;
      else dropped.add(entry.path);
      return isWanted;
    });
  });
  return [[...links, ...(found[0] ?? [])], ...found.slice(1)];
}

const CONFIG = { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['bash'] };

export function large(): Recipe {
  const layers: Layer[] = [{ comment: 'packages of this Debian', entries: groups(LARGE).flat() }];
  return { name: 'large', layers, config: CONFIG };
}

export function larger(): Recipe {
  const layers = groups(LARGER).map((entries) => ({ comment: 'packages of this Debian', entries }));
  return { name: 'larger', layers, config: CONFIG };
}

export function layered(): Recipe {
  // podman refuses a hard link to a file of a layer below
  const entries = groups(LAYERED).flatMap((group) => group.filter(({ type }) => type !== 'hardlink'));
  const part = Math.ceil(entries.length / LAYERS);
  const layers = Array.from({ length: LAYERS }, (_, i) => ({
    comment: 'some files of this Debian',
    entries: entries.slice(i * part, (i + 1) * part),
  }));
  return { name: 'layered', layers, config: CONFIG };
}
