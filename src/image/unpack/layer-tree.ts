/**
 * The directory tree of the layer that is being written, as far as names are concerned: where an entry's name leads, which
 * directories are there, and what of the layers below is hidden.
 *
 * A layer is a set of changes to the tree below it (image-spec layer.md, "Applying Changesets"), so a name is resolved in the
 * *merged* tree: an entry `lib/x` whose layer says nothing about `lib` goes to `usr/lib/x` when a lower layer has `lib -> usr/lib`,
 * and a parent that the layer omits is made with the attributes it has below. Links are followed here, component by component,
 * so that every path given to the kernel consists of directories that this class made.
 */
import type { Attributes } from './attributes.ts';
import { rejectEntry } from './entry-error.ts';
import { isWithin, joinPath, splitPath } from './entry-path.ts';
import type { LayerFiles } from './host.ts';
import { attributesOfLower } from './lower-attributes.ts';
import type { Contributors, LowerNode, LowerView } from './lower-view.ts';
import { type ByteString, toFsPath } from './tar-entry.ts';

/** MAXSYMLINKS of the kernel. */
const MAX_LINKS = 40;

export class LayerTree {
  readonly #files: LayerFiles;
  readonly #base: ByteString;
  readonly #lowers: LowerView;
  /** Every directory of the layer by its resolved path, with what it gets at the end. */
  readonly directories = new Map<ByteString, Attributes>();
  /** Paths at which nothing of the layers below may show. */
  readonly hidden = new Set<ByteString>();
  /** Files of the layers below that are here because a hard link leads to them: to a whiteout they are still of the layers below. */
  readonly broughtUp = new Set<ByteString>();
  /** Directories in which nothing of the layers below may show. */
  readonly opaque = new Set<ByteString>();
  readonly #resolved = new Map<ByteString, ByteString>();
  readonly #contributors = new Map<ByteString, Contributors>();

  /** @param base the layer's directory: '' when it is the process's root */
  constructor(files: LayerFiles, base: ByteString, lowers: LowerView) {
    this.#files = files;
    this.#base = base;
    this.#lowers = lowers;
    const root = lowers.rootNode();
    this.directories.set('', root ? attributesOfLower(root, lowers, '') : impliedDirectory(0n));
  }

  /** The path for the kernel. */
  hostPath(path: ByteString): ByteString {
    return `${this.#base}/${path}`;
  }

  /**
   * The directory that `path` (clean) leads to, made with its parents where the layer has none yet.
   * @param name the entry that needs it, for errors; its time goes to directories that are nowhere else
   */
  resolveDirectory(path: ByteString, name: ByteString, time: bigint): ByteString {
    if (this.directories.has(path)) return path;
    const known = this.#resolved.get(path);
    if (known !== undefined) return known;
    let current = '';
    let links = 0;
    const rest = path.split('/').reverse();
    for (let component = rest.pop(); component !== undefined; component = rest.pop()) {
      if (component === '' || component === '.') continue;
      if (component === '..') current = splitPath(current).parent;
      else {
        const target = this.#enter(current, component, name, time);
        if (target === undefined) current = joinPath(current, component);
        else {
          if (++links > MAX_LINKS)
            throw rejectEntry(name, 'it lies behind too many levels of symbolic links');
          if (target.startsWith('/')) current = '';
          rest.push(...target.split('/').reverse());
        }
      }
    }
    this.#resolved.set(path, current);
    return current;
  }

  /** Where an entry named `path` is to be made: its parent resolved, its last component as it is. */
  resolveEntry(path: ByteString, name: ByteString, time: bigint): ByteString {
    const { parent, name: last } = splitPath(path);
    return joinPath(this.resolveDirectory(parent, name, time), last);
  }

  /** Makes sure that `current/component` is a directory of the layer; or returns the target of the link that is there. */
  #enter(current: ByteString, component: ByteString, name: ByteString, time: bigint): ByteString | undefined {
    const path = joinPath(current, component);
    if (this.directories.has(path)) return undefined;
    const stats = this.#files.lstatSync(toFsPath(this.hostPath(path)), { throwIfNoEntry: false });
    if (stats?.isSymbolicLink()) return this.#files.readlinkSync(toFsPath(this.hostPath(path)), 'latin1');
    if (stats) throw rejectEntry(name, `its parent "${path}" is not a directory`);
    const below = this.lookupLower(path);
    if (below?.kind === 'symlink') return below.target;
    if (below?.kind === 'other')
      throw rejectEntry(name, `its parent "${path}" is not a directory in the layers below`);
    this.makeDirectory(path, below ? attributesOfLower(below, this.#lowers, path) : impliedDirectory(time));
    return undefined;
  }

  /** Makes `path`, which must not exist, for its owner alone; `attributes` are applied when the layer is complete. */
  makeDirectory(path: ByteString, attributes: Attributes): void {
    this.#files.mkdirSync(toFsPath(this.hostPath(path)), 0o700);
    this.directories.set(path, attributes);
  }

  /** What the layers below have at `path`, as far as this layer lets it show. */
  lookupLower(path: ByteString): LowerNode | undefined {
    if (this.hidden.has(path)) return undefined;
    return this.lookupBeneath(path);
  }

  /** The same, but without asking whether `path` itself is hidden. */
  lookupBeneath(path: ByteString): LowerNode | undefined {
    const { parent, name } = splitPath(path);
    const contributors = this.#contributorsOf(parent);
    return contributors.length === 0 ? undefined : this.#lowers.lookup(contributors, parent, name);
  }

  #contributorsOf(directory: ByteString): Contributors {
    if (directory === '') return this.#lowers.all;
    const known = this.#contributors.get(directory);
    if (known) return known;
    const node = this.opaque.has(directory) ? undefined : this.lookupLower(directory);
    const contributors = node?.kind === 'directory' ? node.contributors : [];
    this.#contributors.set(directory, contributors);
    return contributors;
  }

  hide(path: ByteString): void {
    this.hidden.add(path);
    this.#forget(path);
  }

  /** An opaque mark on the root has no effect in an overlay: there everything is hidden by its name. */
  makeOpaque(directory: ByteString): void {
    if (directory === '') for (const name of this.#lowers.rootNames()) this.hide(name);
    else {
      this.opaque.add(directory);
      this.#forget(directory);
    }
  }

  /** Whoever is cached, so are its parents: nothing below an unknown directory is known. */
  #forget(path: ByteString): void {
    if (!this.#contributors.has(path)) return;
    for (const key of this.#contributors.keys()) if (isWithin(path, key)) this.#contributors.delete(key);
  }

  /** Removes what this layer has at `path`, directories with all they hold. */
  remove(path: ByteString): void {
    this.#resolved.clear();
    for (const key of this.broughtUp) if (isWithin(path, key)) this.broughtUp.delete(key);
    if (!this.directories.has(path)) {
      this.#files.unlinkSync(toFsPath(this.hostPath(path)));
      return;
    }
    removeTree(this.#files, this.hostPath(path));
    for (const key of this.directories.keys()) if (isWithin(path, key)) this.directories.delete(key);
  }

  /** Whether this layer has anything at `path`. */
  exists(path: ByteString): boolean {
    return this.#files.lstatSync(toFsPath(this.hostPath(path)), { throwIfNoEntry: false }) !== undefined;
  }
}

/** A directory that no layer describes. Its time is that of the entry in it, so that the result is the same every time. */
const impliedDirectory = (time: bigint): Attributes => ({
  uid: 0,
  gid: 0,
  mode: 0o755,
  mtime: time,
  atime: time,
  xattrs: new Map(),
});

/** fs.rmSync reads names as UTF-8 and so misses those that are none. */
function removeTree(files: LayerFiles, path: ByteString): void {
  for (const entry of files.readdirSync(toFsPath(path), { withFileTypes: true, encoding: 'latin1' })) {
    const child = `${path}/${entry.name}`;
    if (entry.isDirectory()) removeTree(files, child);
    else files.unlinkSync(toFsPath(child));
  }
  files.rmdirSync(toFsPath(path));
}
