/**
 * Where a file of layers is that are not mounted: by the rules of an overlay file system (kernel, Documentation/filesystems/overlayfs.rst). Each
 * directory is made of those of its name in all layers, down to the first that is opaque or to something else of that name; what is no
 * directory hides all below it; a link leads through the whole tree and not through its own layer (an image may have `/etc/passwd` as a
 * link into another layer). Layers do not change: what was no link a moment ago is none now.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { callForBytes } from '../sys/call-for-bytes.ts';
import { ERRNO } from '../sys/errno.ts';
import { SyscallFailure } from '../sys/run.ts';

/** Of a directory that hides what lower layers have in it, on a mount with `userxattr`. */
export const OPAQUE_XATTR = 'user.overlay.opaque';

/** As the kernel (path_resolution(7)). */
const MOST_LINKS = 40;

type Found =
  | { kind: 'directory'; directories: string[] }
  | { kind: 'link'; target: string }
  | { kind: 'file'; path: string };

/** @param layers their directories, top first. @returns the path of a regular file below one of them; undefined when there is none */
export function findInLayers(layers: readonly string[], path: string): string | undefined {
  const rest = path.split('/');
  // From the root on: the directories of layers that make up each directory.
  let stack: (readonly string[])[] = [layers];
  for (let links = 0; links <= MOST_LINKS; ) {
    const name = rest.shift();
    if (name === undefined) return undefined; // it is a directory
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (stack.length > 1) stack.pop();
      continue;
    }
    const found = lookUp(stack.at(-1) ?? [], name);
    if (found === undefined) return undefined;
    if (found.kind === 'directory') stack.push(found.directories);
    else if (found.kind === 'file') return rest.length === 0 ? found.path : undefined;
    else {
      links++;
      if (found.target.startsWith('/')) stack = [layers];
      rest.unshift(...found.target.split('/'));
    }
  }
  return undefined; // the links lead to each other
}

function lookUp(directories: readonly string[], name: string): Found | undefined {
  const merged: string[] = [];
  for (const [i, directory] of directories.entries()) {
    const path = `${directory}/${name}`;
    const stat = statOf(path);
    if (stat === undefined) continue;
    if (stat.isDirectory()) {
      merged.push(path);
      if (i < directories.length - 1 && isOpaque(path)) break;
    } else if (merged.length > 0) break;
    else if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
    else return stat.isFile() ? { kind: 'file', path } : undefined; // also a whiteout, a device
  }
  return merged.length > 0 ? { kind: 'directory', directories: merged } : undefined;
}

/** Undefined for what is not there, and for what is in a directory that a subordinate id keeps to itself. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined;
    throw error;
  }
}

const NO_ATTRIBUTE: readonly number[] = [ERRNO.ENODATA, ERRNO.EOPNOTSUPP, ERRNO.EACCES];

function isOpaque(path: string): boolean {
  try {
    return callForBytes('is it opaque?', 'lgetxattr', [path, OPAQUE_XATTR], 8).toString('latin1') === 'y';
  } catch (error) {
    if (error instanceof SyscallFailure && NO_ATTRIBUTE.includes(error.errno)) return false;
    throw error;
  }
}
