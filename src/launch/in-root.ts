/**
 * Paths inside the container's root, resolved by the kernel.
 *
 * An image is somebody else's work: any of its directories may be a symbolic link to anywhere. By the time these steps run the root has
 * been pivoted, and openat2(2) resolves with RESOLVE_IN_ROOT (absolute links and `..` stay inside) and RESOLVE_NO_MAGICLINKS
 * (`/proc/self/fd/N` leads nowhere). Nothing is decided by looking at strings. See CVE-2021-30465, CVE-2025-52565.
 */
import { call, close } from '../sys/calls.ts';
import {
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_NOCTTY,
  O_NONBLOCK,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '../sys/constants.ts';
import type { Memory, Slot, Slots, Step } from '../sys/step.ts';

/** struct open_how (openat2(2)) */
function openHow(flags: number, mode: number, say: string): Memory {
  const fields = [flags | O_CLOEXEC, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS].map(
    (value) => ({ width: 8, value }) as const,
  );
  return { fields, say: `{${say}, RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS}` };
}

const HOW_PATH = openHow(O_PATH, 0, 'O_PATH');
const HOW_DIRECTORY = openHow(O_PATH | O_DIRECTORY, 0, 'O_PATH|O_DIRECTORY');
const HOW_CREATE = openHow(O_CREAT | O_NOCTTY | O_NONBLOCK, 0o644, 'O_CREAT, 0644');
const OPEN_HOW_SIZE = 24;

/** `/a//b/` → ['a', 'b']. `..` is left to the kernel, which cannot leave the root. */
export const components = (path: string): string[] =>
  path.split('/').filter((part) => part !== '' && part !== '.');

export class InRoot {
  readonly #slots: Slots;
  readonly #root: Slot;
  /** Directories that an earlier step has made sure of. */
  readonly #made = new Set<string>();

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

  /** Makes `path` a directory, with all its parents, unless it is one. */
  ensureDirectory(path: string, why: string, mode = 0o755): Step[] {
    const parts = components(path);
    const steps: Step[] = [];
    parts.forEach((name, i) => {
      const here = parts.slice(0, i + 1).join('/');
      if (this.#made.has(here)) return;
      this.#made.add(here);
      if (i === 0) {
        steps.push(
          call('container', why, 'mkdirat', [this.#root, name, mode], { tolerate: ['EEXIST', 'EROFS'] }),
        );
        return;
      }
      const parent = this.open(parts.slice(0, i).join('/'), why, 'directory');
      const make = call('container', why, 'mkdirat', [parent.fd, name, mode], {
        tolerate: ['EEXIST', 'EROFS'],
      });
      steps.push(...parent.steps, make, close('container', 'opened for one mkdirat', parent.fd));
    });
    return steps;
  }

  /** Makes sure that something other than a directory can be mounted on at `path`. */
  ensureFile(path: string, why: string): Step[] {
    const parts = components(path);
    const fd = this.#slots.new(path);
    return [
      ...this.ensureDirectory(parts.slice(0, -1).join('/'), why),
      call('container', why, 'openat2', [this.#root, parts.join('/'), HOW_CREATE, OPEN_HOW_SIZE], {
        result: fd,
        // ENXIO, EACCES: a socket or a device is there already, which can be mounted on as well.
        tolerate: ['ENXIO', 'EACCES', 'EROFS'],
      }),
      call('container', 'only its existence matters', 'close', [fd], { tolerate: ['EBADF'] }),
    ];
  }
}
