/** One message to the hub (network/hub-protocol.ts), perhaps with a pidfd, and its answer. */
import { closeSync } from 'node:fs';
import { call } from '../sys/calls.ts';
import { MSG_NOSIGNAL, SCM_RIGHTS, SOL_SOCKET } from '../sys/constants.ts';
import { nativeRunner } from '../sys/run.ts';
import { type Memory, Slots } from '../sys/step.ts';

/**
 * Sends a message over a connection to the hub, and waits for its answer: once the uplink is there.
 * @param pidfd sent along; closed here
 * @throws SyscallFailure with what it says
 */
export function tellHub(connection: number, message: Buffer, pidfd?: number): void {
  const slots = new Slots();
  const [got, status] = [slots.new('got'), slots.new('status')];
  const control: Memory = {
    fields: [
      { width: 8, value: 20 },
      { width: 4, value: SOL_SOCKET },
      { width: 4, value: SCM_RIGHTS },
      { width: 4, value: pidfd ?? -1 },
      { width: 4, value: 0 },
    ],
  };
  const iovec: Memory = { fields: [{ pointer: message }, { width: 8, value: message.length }] };
  const none = { width: 8, value: 0 } as const;
  const header: Memory = {
    fields: [
      none,
      none,
      { pointer: iovec },
      { width: 8, value: 1 },
      ...(pidfd === undefined ? [none, none] : [{ pointer: control }, { width: 8, value: 24 } as const]),
      none,
    ],
    say: 'an endpoint',
  };
  const answer: Memory = {
    fields: [
      { width: 4, into: status },
      { width: 4, value: 0 },
    ],
  };
  try {
    nativeRunner.run({
      slots,
      steps: [
        call('user', 'tell the hub', 'sendmsg', [connection, header, MSG_NOSIGNAL]),
        call('user', 'what it says', 'recvfrom', [connection, answer, 4, 0, 0, 0], {
          result: got,
          retry: true,
        }),
        {
          actor: 'user',
          why: 'the hub must answer',
          op: { kind: 'expect', value: got, equals: 4, errno: 'ECONNRESET' },
        },
        { actor: 'user', why: 'what it says', op: { kind: 'check', value: status } },
      ],
    });
  } finally {
    if (pidfd !== undefined) closeSync(pidfd);
  }
}
