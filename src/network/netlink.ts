/**
 * Messages of rtnetlink(7), as data of a program of system calls: what `ip` would send.
 *
 *     nlmsghdr: length, type, flags, sequence, port   | family's header (ifinfomsg, ifaddrmsg, rtmsg, …) | attributes …
 *     attribute: length, type | payload, padded to 4 bytes; a nested attribute's payload is attributes
 *
 * Several messages go in one call and are acted on in order. Each that fails is answered with its errno, and the last one, which asks
 * for it, in any case: the first answer tells whether all is well. Subsystems of netfilter want a batch between two messages that say
 * so; those are not answered.
 */
import { call, op } from '../sys/calls.ts';
import { AF_NETLINK, NETLINK_ROUTE, SOCK_CLOEXEC, SOCK_RAW } from '../sys/constants.ts';
import type { ErrnoName } from '../sys/errno.ts';
import type { Actor, Field, Slot, Slots, Step } from '../sys/step.ts';

const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_REPLACE = 0x100;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
/** Makes it, or another like it instead. */
export const ENSURE = NLM_F_CREATE | NLM_F_REPLACE;
/** Makes it, or sets what is there: of links the kernel replaces none. */
export const ENSURE_LINK = NLM_F_CREATE;
/** Makes it; fails with EEXIST if it is there. */
export const CREATE = NLM_F_CREATE | NLM_F_EXCL;

/** A socket for rtnetlink(7) in the network namespace of whoever opens it. */
export const routeSocket = (actor: Actor, why: string, result: Slot): Step =>
  call(actor, why, 'socket', [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE], { result });

/** Parts of a message; `size` in bytes. */
export interface Part {
  fields: readonly Field[];
  size: number;
}

export interface NetlinkMessage extends Part {
  /** The same as a command of iproute2, without `ip`; or of another program. */
  ip: string;
  /** It begins or ends a batch, and does nothing else. */
  frames?: boolean;
}

const HEADER_SIZE = 16;

const join = (parts: readonly Part[]): Part => ({
  fields: parts.flatMap((part) => part.fields),
  size: parts.reduce((sum, part) => sum + part.size, 0),
});

/** Integers and bytes of a header or a payload. */
export const u8 = (value: number): Part => ({ fields: [{ width: 1, value }], size: 1 });
export const u16 = (value: number): Part => ({ fields: [{ width: 2, value }], size: 2 });
export const u32 = (value: number | Slot): Part => ({
  fields: [typeof value === 'number' ? { width: 4, value } : { width: 4, from: value }],
  size: 4,
});
export const raw = (value: Uint8Array): Part => ({ fields: [{ bytes: value }], size: value.length });
export const text = (value: string): Part => raw(Buffer.from(`${value}\0`));

/** A struct's members. */
export const struct = (...parts: readonly Part[]): Part => join(parts);

/** One attribute; several parts make a nested one, or a struct followed by attributes. */
export function attribute(type: number, ...payload: readonly Part[]): Part {
  const { fields, size } = join(payload);
  const padding = (4 - (size % 4)) % 4;
  return {
    fields: [
      { width: 2, value: size + 4 },
      { width: 2, value: type },
      ...fields,
      ...(padding > 0 ? [{ bytes: new Uint8Array(padding) }] : []),
    ],
    size: 4 + size + padding,
  };
}

/** @param ip the equivalent command */
export function message(type: number, flags: number, ip: string, ...body: readonly Part[]): NetlinkMessage {
  const { fields, size } = join(body);
  const length = HEADER_SIZE + size;
  return {
    ip,
    size: length,
    fields: [
      { width: 4, value: length },
      { width: 2, value: type },
      { width: 2, value: flags | NLM_F_REQUEST },
      { width: 4, value: 0 },
      { width: 4, value: 0 },
      ...fields,
    ],
  };
}

/** nlmsghdr and nlmsgerr: the errno, negated, is behind the header. */
const answer = (error: Slot) => ({
  fields: [
    { bytes: new Uint8Array(HEADER_SIZE) } as const,
    { width: 4, into: error } as const,
    { bytes: new Uint8Array(HEADER_SIZE) } as const,
  ],
  say: 'nlmsgerr',
});

/** With NLM_F_ACK in the flags of the last message that does something. */
function batch(messages: readonly NetlinkMessage[]): Field[] {
  const last = messages.findLastIndex(({ frames }) => !frames);
  return messages.flatMap(({ fields }, index) => {
    const [length, type, flags, ...rest] = fields;
    if (index !== last || !length || !type || !flags || !('value' in flags)) return [...fields];
    return [length, type, { width: 2 as const, value: Number(flags.value) | NLM_F_ACK }, ...rest];
  });
}

/**
 * Sends `messages` over the netlink socket `socket` and fails with the errno of the first that failed.
 * @param why of the first; the commands say the rest; @param program whose commands; @param tolerate errnos that are no failure
 */
export function exchange(
  actor: Actor,
  why: string,
  slots: Slots,
  socket: Slot | number,
  messages: readonly NetlinkMessage[],
  program = 'ip',
  tolerate: readonly ErrnoName[] = [],
): Step[] {
  // A container that was taken off its last network has no links; the kernel answers nothing to nothing.
  if (messages.length === 0) return [];
  const error = slots.new('error');
  const size = messages.reduce((sum, { size }) => sum + size, 0);
  const commands = messages.filter(({ frames }) => !frames).map(({ ip }) => `${program} ${ip}`);
  const memory = { fields: batch(messages), say: commands.join('; ') };
  const length = HEADER_SIZE + 4 + HEADER_SIZE;
  return [
    call(actor, why, 'sendto', [socket, memory, size, 0, 0, 0], { retry: true }),
    call(actor, `${why}: what the kernel says`, 'recvfrom', [socket, answer(error), length, 0, 0, 0], {
      retry: true,
    }),
    op(actor, why, { kind: 'check', value: error }, tolerate.length > 0 ? { tolerate } : {}),
  ];
}
