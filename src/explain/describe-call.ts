/**
 * A step as strace(1) would print it, before it has run: flags by name, run-time values as `$name`, structs in words.
 *
 *     openat2($root, "proc/sys", {flags=O_PATH|O_CLOEXEC, resolve=RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS}) = $/proc/sys
 */
import type { Argument, Op, Step } from '../sys/step.ts';
import { type Family, plain } from './calls/arguments.ts';
import { directory, files } from './calls/files.ts';
import { mounts } from './calls/mounts.ts';
import { privileges } from './calls/privileges.ts';
import { cloneArguments, processes } from './calls/processes.ts';
import { SlotNames } from './calls/slot-names.ts';
import { sockets } from './calls/sockets.ts';

export { SlotNames };

const FAMILIES: Family = { ...files, ...mounts, ...processes, ...privileges, ...sockets };

/** clone(2): the encoder sets it where a step wants a pidfd. */
const CLONE_PIDFD = 0x1000n;

/** The arguments, decoded; those that mean nothing in this call are left out. */
function describeArguments(name: string, all: readonly Argument[], slots: SlotNames): string[] {
  const shows = FAMILIES[name] ?? [];
  return all.flatMap((argument, index) => {
    const text = (shows[index] ?? plain)(argument, { slots, all });
    return text === undefined ? [] : [text];
  });
}

/** What an op does, without where its result goes. */
export function describeOp(op: Op, slots: SlotNames = new SlotNames()): string {
  switch (op.kind) {
    case 'syscall':
      return `${op.name}(${describeArguments(op.name, op.args, slots).join(', ')})`;
    case 'clone': {
      const pidfd = op.pidfd ? `, pidfd → ${slots.of(op.pidfd)}` : '';
      return `clone3(${cloneArguments(op.flags | (op.pidfd ? CLONE_PIDFD : 0n), op.exitSignal)}${pidfd})`;
    }
    case 'expect': {
      const mask = op.mask === undefined ? '' : ` & 0x${op.mask.toString(16)}`;
      return `expect ${slots.of(op.value)}${mask} == ${op.equals}, else ${op.errno}`;
    }
    case 'compare':
      return `expect ${plain(op.buffer, { slots, all: [] })} == ${JSON.stringify(op.equals)}, else ${op.errno}`;
    case 'check':
      return `expect ${slots.of(op.value)} >= 0, else the errno that it is`;
    case 'remove-tree':
      return `remove_${op.cgroups ? 'cgroups' : 'tree'}(${directory(op.dir, { slots, all: [] })}, ${JSON.stringify(op.path)})`;
    case 'make-path': {
      const what = op.file ? 'a file' : `0${op.mode.toString(8)}`;
      return `make_path(${plain(op.root, { slots, all: [] })}, ${JSON.stringify(op.path)}, ${what})`;
    }
    case 'report':
      return `report failures to ${plain(op.fd, { slots, all: [] })}`;
  }
}

/** The whole step: `openat(…) = $fd`. @param slots gives slots of one program names that are told apart */
export function describeCall(step: Step, slots: SlotNames = new SlotNames()): string {
  const text = describeOp(step.op, slots);
  return step.result ? `${text} = ${slots.of(step.result)}` : text;
}
