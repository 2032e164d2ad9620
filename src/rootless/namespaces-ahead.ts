/**
 * New rootless namespaces, made while this process has something else to do: newuidmap and newgidmap take longer than a small layer does to
 * unpack. A process that does nothing holds them until they are entered.
 *
 *     user (tsrun, in Node)                        native/hold.c
 *       | clone3(CLONE_NEWUSER | CLONE_NEWNS) ----> | execve: Node sleeps until then, and its memory need not be copied
 *       | newuidmap, newgidmap: started             | read(pipe)
 *       | … whatever is to be done meanwhile …      |
 *       | waitid(newuidmap), waitid(newgidmap)      |
 *       | setns, in a child (join-namespaces.ts)    |
 *       | kill, or its own end: close(pipe) ------> | the end
 *
 * Mounts that the host shares are slaves in such a namespace, without a mount(2) that says so: it belongs to another user namespace
 * (mount_namespaces(7), "Restrictions on mount namespaces").
 */
import { closeSync } from 'node:fs';
import { call, op, pipe } from '../sys/calls.ts';
import { CLONE_NEWNS, CLONE_NEWUSER, CLONE_VFORK, CLONE_VM, O_CLOEXEC, SIGCHLD } from '../sys/constants.ts';
import { nativeDirectory } from '../sys/native-directory.ts';
import { nativeRunner, type Results, SyscallFailure } from '../sys/run.ts';
import { type Slot, Slots, type Step } from '../sys/step.ts';
import { waitForExit } from '../sys/wait.ts';
import { helpersOf, startHelpers } from './create-namespaces.ts';
import { endChild, type Rootless } from './enter.ts';

/** Where such namespaces cannot be made, entering new ones (enter.ts) says why. */
export class NamespacesAhead {
  readonly #maps: Rootless['maps'];
  readonly #holder: number;
  /** End of file for the holder when this process has ended, however that comes. */
  readonly #hold: number;
  /** What the helpers say, which nobody reads: whoever cannot enter these namespaces makes new ones, and reads it then. */
  readonly #output: number;
  /** Those that have not been waited for. */
  readonly #helpers: number[];
  #hasFailed = false;

  /** @param maps with subordinate ids @throws SyscallFailure */
  constructor(maps: Rootless['maps']) {
    const slots = new Slots();
    const plan = planHolder(maps, slots);
    let results: Results;
    try {
      results = nativeRunner.run({ slots, steps: plan.steps });
    } catch (error) {
      if (error instanceof SyscallFailure) {
        endChild(error.results(plan.pidfd));
        closeAll(plan.descriptors.map(error.results));
      }
      throw error;
    }
    closeSync(results(plan.holdRead));
    this.#maps = maps;
    this.#holder = results(plan.pidfd);
    this.#hold = results(plan.hold);
    this.#output = results(plan.helperOutput);
    this.#helpers = Object.values(plan.helpers).map(results);
  }

  /** How to get in, once the ids are mapped, for which this waits. Until close(). Throws when they could not be mapped. */
  rootless(): Rootless {
    if (!this.#areMapped()) throw new Error('newuidmap or newgidmap has failed');
    return { maps: this.#maps, holder: this.#holder };
  }

  #areMapped(): boolean {
    for (const helper of this.#helpers.splice(0)) {
      const end = waitForExit(helper);
      closeSync(helper);
      if (end.kind !== 'exited' || end.code !== 0) this.#hasFailed = true;
    }
    return !this.#hasFailed;
  }

  /** The namespaces end with what runs in them. */
  close(): void {
    this.#areMapped(); // if nobody has waited for the helpers
    endChild(this.#holder);
    closeAll([this.#holder, this.#hold, this.#output]);
  }
}

function closeAll(descriptors: readonly number[]): void {
  for (const fd of descriptors) if (fd >= 0) closeSync(fd);
}

function planHolder(maps: Rootless['maps'], slots: Slots) {
  const [pid, pidfd, helperOutput] = [slots.new('holder'), slots.new('holder.pidfd'), slots.new('helpers')];
  const [holdRead, hold] = [slots.new('hold.r'), slots.new('hold.w')];
  const helpers = helpersOf(slots);
  const program = `${nativeDirectory()}/hold`;
  const child: Step[] = [
    call('rootless', 'live until this ends', 'dup3', [holdRead, 0, 0]),
    call('rootless', 'hold the namespaces', 'execve', [program, { strings: ['hold'] }, { strings: [] }]),
  ];
  const steps: Step[] = [
    pipe('user', 'end the holder by closing it', holdRead, hold, O_CLOEXEC),
    op(
      'user',
      'become root in a user namespace, with mounts of its own',
      {
        kind: 'clone',
        flags: CLONE_NEWUSER | CLONE_NEWNS | CLONE_VM | CLONE_VFORK,
        exitSignal: SIGCHLD,
        pidfd,
        child,
      },
      { result: pid },
    ),
    ...startHelpers(maps, { pid, helperOutput }, helpers),
  ];
  const descriptors: Slot[] = [holdRead, hold, pidfd, helperOutput];
  return { steps, descriptors, pidfd, holdRead, hold, helperOutput, helpers };
}
