/**
 * Names of entries, made safe as strings: the second wall behind the chroot. The result is relative, without empty, `.` or `..`
 * components; '' is the layer's root directory. Symbolic links are not looked at here: layer-tree.ts walks them inside the root.
 */
import type { ByteString } from './tar-entry.ts';

export interface PathLimits {
  /** Bytes of the whole name. */
  maxPathLength: number;
  /** Components. */
  maxDepth: number;
}

export type CleanPath = { ok: true; path: ByteString } | { ok: false; problem: string };

/** NAME_MAX of Linux. */
const MAX_COMPONENT = 255;

/** `/a/./b//c/../d` → `a/b/d`. A `..` that would leave the root is refused, not clamped. */
export function cleanEntryPath(name: ByteString, limits: PathLimits): CleanPath {
  if (name.includes('\0')) return { ok: false, problem: 'its name holds a NUL byte' };
  if (name.length > limits.maxPathLength) {
    return {
      ok: false,
      problem: `its name has ${name.length} bytes, and ${limits.maxPathLength} are allowed`,
    };
  }
  const components: string[] = [];
  for (const component of name.split('/')) {
    if (component === '' || component === '.') continue;
    if (component !== '..') components.push(component);
    else if (components.pop() === undefined)
      return { ok: false, problem: 'its name leads out of it by ".."' };
  }
  if (components.length > limits.maxDepth) {
    return {
      ok: false,
      problem: `it is ${components.length} directories deep, and ${limits.maxDepth} are allowed`,
    };
  }
  if (components.some((component) => component.length > MAX_COMPONENT)) {
    return { ok: false, problem: `a component of its name is longer than ${MAX_COMPONENT} bytes` };
  }
  return { ok: true, path: components.join('/') };
}

/** Splits a clean path; the root's parent is the root. */
export function splitPath(path: ByteString): { parent: ByteString; name: ByteString } {
  const slash = path.lastIndexOf('/');
  return slash === -1
    ? { parent: '', name: path }
    : { parent: path.slice(0, slash), name: path.slice(slash + 1) };
}

export const joinPath = (parent: ByteString, name: ByteString): ByteString =>
  parent === '' ? name : `${parent}/${name}`;

/** Whether `path` is `directory` or lies in it. */
export const isWithin = (directory: ByteString, path: ByteString): boolean =>
  directory === '' || path === directory || path.startsWith(`${directory}/`);
