/**
 * Paths inside the container's root, resolved by the kernel.
 *
 * An image is somebody else's work: any of its directories may be a symbolic link to anywhere. By the time these steps run the root has
 * been pivoted, and openat2(2) resolves with RESOLVE_IN_ROOT (absolute links and `..` stay inside) and RESOLVE_NO_MAGICLINKS
 * (`/proc/self/fd/N` leads nowhere). Nothing is decided by looking at strings. See CVE-2021-30465, CVE-2025-52565. What a mount needs and
 * the image does not have is made by native/make-path.c, under the same rules.
 */
import { call, op } from '../sys/calls.ts';
import { O_CLOEXEC, O_DIRECTORY, O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '../sys/constants.ts';
import type { MakePathOp, Memory, Slot, Slots, Step } from '../sys/step.ts';

/** struct open_how (openat2(2)) */
function openHow(flags: number, mode: number, say: string): Memory {
  const fields = [flags | O_CLOEXEC, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS].map(
    (value) => ({ width: 8, value }) as const,
  );
  return { fields, say: `{${say}, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS}` };
}

const HOW_PATH = openHow(O_PATH, 0, 'O_PATH');
const HOW_DIRECTORY = openHow(O_PATH | O_DIRECTORY, 0, 'O_PATH|O_DIRECTORY');
const OPEN_HOW_SIZE = 24;

/** `/a//b/` → ['a', 'b']. `..` is left to the kernel, which cannot leave the root. */
export const components = (path: string): string[] =>
  path.split('/').filter((part) => part !== '' && part !== '.');

export class InRoot {
  readonly #slots: Slots;
  readonly #root: Slot;

  /** @param root slot that holds an O_PATH descriptor of the container's root */
  constructor(slots: Slots, root: Slot) {
    this.#slots = slots;
    this.#root = root;
  }

  /** Opens `path` (O_PATH) into a new slot. */
  open(path: string, why: string, kind: 'any' | 'directory' = 'any'): { steps: Step[]; fd: Slot } {
    const fd = this.#slots.new(path);
    const how = kind === 'directory' ? HOW_DIRECTORY : HOW_PATH;
    const name = components(path).join('/') || '.';
    const step = call('container', why, 'openat2', [this.#root, name, how, OPEN_HOW_SIZE], { result: fd });
    return { steps: [step], fd };
  }

  /** Makes `path` a directory, with all its parents, unless it is one; links are followed, also to what is not there yet. */
  ensureDirectory(path: string, why: string, mode = 0o755): Step[] {
    return this.#ensure({ kind: 'make-path', root: this.#root, path: components(path).join('/'), mode }, why);
  }

  /** Makes sure that something other than a directory can be mounted on at `path`. */
  ensureFile(path: string, why: string): Step[] {
    const name = components(path).join('/');
    return this.#ensure({ kind: 'make-path', root: this.#root, path: name, mode: 0o755, file: true }, why);
  }

  #ensure(what: MakePathOp, why: string): Step[] {
    return what.path === '' ? [] : [op('container', why, what)];
  }
}
