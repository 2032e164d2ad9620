/**
 * The kernel's overlay file system, mounted by root of a user namespace (Linux 5.11).
 *
 * `userxattr` makes it keep its marks in user.* attributes, the only ones that such a root may set. Directories are named by open
 * descriptors (/proc/self/fd/N): the options are one page of text (mount(2)), into which 128 layers of the store's long names would
 * not fit, and no `:` or `,` of a path needs quoting.
 *
 * Of a container that is removed at its end, nothing is written to the disk for its own sake (`volatile`, Linux 5.10): a file system is synced
 * when its overlay is unmounted, which takes as long as the disk does, 10 ms and more. The kernel then leaves a mark, and mounts no overlay
 * where it finds one; a container whose supervisor was killed may be started again all the same, so the mark goes first. After a power cut that
 * shows what the disk has, which may be half of it: of a container that was to leave nothing.
 */
import { call, close, op } from '../sys/calls.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../sys/constants.ts';
import type { Slot, Slots, Step } from '../sys/step.ts';
import { type RootfsDriver, type RootfsPaths, VIEW_FLAGS, type ViewPaths } from './driver.ts';

/** Docker's limit too; 128 descriptors of 20 characters are well under a page. */
export const MAX_LAYERS = 127;

export function overlayMount(slots: Slots, paths: RootfsPaths, actor: Step['actor']): Step[] {
  const open = (path: string, why: string): { fd: Slot; step: Step } => {
    const fd = slots.new(path);
    const args = [AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0];
    return { fd, step: call(actor, why, 'openat', args, { result: fd }) };
  };
  const lowers = paths.lowers.map((path, i) => open(path, `layer ${paths.lowers.length - i} of the image`));
  const upper = open(paths.upper, 'what the container changes goes here');
  const work = open(paths.work, 'overlay prepares changes here');
  const text: (string | Slot)[] = ['lowerdir='];
  lowers.forEach(({ fd }, i) => {
    text.push(i === 0 ? '/proc/self/fd/' : ':/proc/self/fd/', fd);
  });
  text.push(',upperdir=/proc/self/fd/', upper.fd, ',workdir=/proc/self/fd/', work.fd, ',userxattr');
  if (paths.discarded) text.push(',volatile');
  const all = [...lowers, upper, work];
  return [
    ...all.map(({ step }) => step),
    ...(paths.discarded ? [unmark(actor, work.fd)] : []),
    call(actor, 'the image’s layers, and the container’s own on top', 'mount', [
      'overlay',
      paths.mountpoint,
      'overlay',
      0,
      { text },
    ]),
    ...all.map(({ fd }) => close(actor, 'the mount holds it now', fd)),
  ];
}

const unmark = (actor: Step['actor'], work: Slot): Step =>
  op(actor, 'the mark of a start whose end was not seen', {
    kind: 'remove-tree',
    dir: work,
    path: 'work/incompat/volatile',
  });

/** Without an upper directory overlay is read-only, and wants at least two layers. */
function overlayView(slots: Slots, { directories, mountpoint }: ViewPaths): Step[] {
  const opened = directories.map((path) => ({ path, fd: slots.new(path) }));
  const text: (string | Slot)[] = ['lowerdir='];
  opened.forEach(({ fd }, i) => {
    text.push(i === 0 ? '/proc/self/fd/' : ':/proc/self/fd/', fd);
  });
  text.push(',userxattr');
  return [
    ...opened.map(({ path, fd }) =>
      call(
        'rootless',
        'a layer to look at',
        'openat',
        [AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0],
        {
          result: fd,
        },
      ),
    ),
    call('rootless', 'all layers as one tree', 'mount', [
      'overlay',
      mountpoint,
      'overlay',
      VIEW_FLAGS,
      { text },
    ]),
    ...opened.map(({ fd }) => close('rootless', 'the mount holds it now', fd)),
  ];
}

export const overlayDriver: RootfsDriver = {
  name: 'overlay',
  view: overlayView,
  plan: (slots, paths) => ({ supervisor: [], container: overlayMount(slots, paths, 'container') }),
};
