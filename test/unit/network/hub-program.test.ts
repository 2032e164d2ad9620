/** The hub's second program: what it opens in the hub can be found and closed by native/hub.c, whatever step fails. */
import { expect, it } from 'vitest';
import { hubUplinkProgram } from '../../../src/network/hub-program.ts';
import { HUB_SLOT_UPLINK, HUB_UPLINK_DESCRIPTORS } from '../../../src/network/hub-protocol.ts';
import type { Argument, Slot, Step } from '../../../src/sys/step.ts';

const isSlot = (argument: Argument | undefined): argument is Slot =>
  typeof argument === 'object' && 'index' in argument;

/** The slots of the descriptors that a step of the hub opens. */
function opens({ op, result }: Step): Slot[] {
  if (op.kind === 'clone') return op.pidfd ? [op.pidfd] : [];
  if (op.kind !== 'syscall') return [];
  if (op.name === 'pipe2') {
    const [ends] = op.args;
    if (typeof ends !== 'object' || !('fields' in ends))
      throw new Error('pipe2 without a place for its ends');
    return ends.fields.flatMap((field) => ('into' in field ? [field.into] : []));
  }
  const opening = ['openat', 'openat2', 'socket', 'memfd_create', 'pidfd_open', 'dup', 'accept4'];
  return opening.includes(op.name) && result ? [result] : [];
}

it.each([true, false])(
  'has them in its first slots, and 0 there once they are closed (outward: %s)',
  (outward) => {
    const { steps } = hubUplinkProgram(
      { path: '/slirp4netns', openFiles: 1024, directory: '/', outward },
      true,
    );
    const opened = steps.flatMap(opens);
    expect(opened.map(({ index }) => index).sort()).toEqual(
      Array.from({ length: outward ? HUB_UPLINK_DESCRIPTORS : HUB_UPLINK_DESCRIPTORS - 2 }, (_, i) => i),
    );
    expect(opened.find(({ name }) => name === 'uplink')?.index).toBe(HUB_SLOT_UPLINK);
    const closed = steps.flatMap(({ op, result }) =>
      op.kind === 'syscall' && op.name === 'close' ? [{ fd: op.args[0], result }] : [],
    );
    expect(closed).toHaveLength(outward ? 6 : 3);
    for (const { fd, result } of closed) {
      expect(isSlot(fd) && fd.index).toBe(result?.index);
      expect(opened).toContain(fd);
    }
  },
);
