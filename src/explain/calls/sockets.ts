/** Sockets, terminals and network interfaces. */
import { type Family, flags, number, oneOf, plain, pointer } from './arguments.ts';
import { flagsOf, joined, nameOf, namesOf, namesWith } from './names.ts';

const FAMILIES = namesWith('AF_');
const TYPE_BITS = 0xfn;
const TYPES = namesWith('SOCK_', 'SOCK_CLOEXEC', 'SOCK_NONBLOCK');
const TYPE_FLAGS = joined(namesWith('SOCK_CLOEXEC'), namesWith('SOCK_NONBLOCK'));
/** ioctl_tty(2), netdevice(7), ioctl_ns(2). */
const REQUESTS = joined(joined(namesWith('TIOC'), namesWith('SIOC')), namesWith('FI'));
const MESSAGE_FLAGS = joined(namesWith('MSG_'), namesOf({ MSG_PEEK: 2, MSG_DONTWAIT: 0x40 }));

/** `SOCK_STREAM|SOCK_CLOEXEC`: a type and flags in one number. */
const type = number((value) => {
  const rest = value & ~TYPE_BITS;
  const name = nameOf(TYPES, value & TYPE_BITS);
  return rest === 0n ? name : `${name}|${flagsOf(TYPE_FLAGS, rest)}`;
});

const request = number((value) => REQUESTS.get(value) ?? `0x${value.toString(16)}`);

/** TIOCGPTPEER takes open(2)'s flags as its argument, the others a pointer or nothing. */
const ioctlArgument: Family[string][number] = (argument, context) => {
  const peer = request(context.all[1] ?? 0, context) === 'TIOCGPTPEER';
  return peer ? flags(namesWith('O_'))(argument, context) : plain(argument, context);
};

export const sockets: Family = {
  socket: [oneOf(FAMILIES), type, plain],
  socketpair: [oneOf(FAMILIES), type, plain, plain],
  sendmsg: [plain, plain, flags(MESSAGE_FLAGS)],
  recvmsg: [plain, plain, flags(MESSAGE_FLAGS)],
  setsockopt: [plain, oneOf(namesWith('SOL_')), plain, plain, plain],
  accept4: [plain, pointer, pointer, type],
  ioctl: [plain, request, ioctlArgument],
};
