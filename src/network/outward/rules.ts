/**
 * Which packets from bridges become connections of native/forward/outward.c: the rules of nftables for it, in the bridges' network namespace.
 *
 * They concern TCP and UDP from bridges with a way out (their interfaces are of a group; those of internal networks are not), whose target the
 * uplink leads to, but for the uplink's own subnet, where slirp4netns itself answers. The first packet of a connection waits in a queue
 * for what outward.c finds out about its target, and goes on with a mark that says so. If all is well it is redirected to outward.c's
 * listening socket, and the connection's others with it; their target is what SO_ORIGINAL_DST says.
 *
 * Each datagram waits in a queue of its own, whole, and is sent from there by outward-udp.c, or refused, as whoever sends one hears of a refusal and
 * not of a missing route.
 *
 * IPv6 goes nowhere but here: slirp4netns has none. So its rules take what no route leads to (hub-program.ts). All else,
 * and all where the kernel has not got these rules, is told of that.
 *
 * Into the queue they go by the target of xtables, NFQUEUE, which iptables uses too: kernels are built without nftables' own `queue`.
 * They are redirected by address translation and not by `tproxy`, which does not survive bridge-nf-call-iptables.
 */
import { AF_INET, AF_INET6 } from '../../sys/constants.ts';
import { OUTWARD_GROUP } from '../bridge-network.ts';
import type { Subnet } from '../ip-address.ts';
import { ipBytes } from '../ip-address.ts';
import {
  attribute,
  message,
  type NetlinkMessage,
  type Part,
  raw,
  struct,
  text,
  u8,
  u16,
  u32,
} from '../netlink.ts';

/** As enum verdict in native/forward/queue.h has them. */
export const VERDICT = { refused: 0x6f757401, unreachable: 0x6f757402 } as const;
/** Of the listening socket. */
export const LISTENING_PORT = 7474;
/**
 * Number, how much of a packet is looked at (of a request the longest header of IPv4, and the ports), and how many may wait. Numbers as
 * native/forward/queue.h has them.
 */
export const QUEUE = {
  requests: { number: 0, copied: 80, length: 8192 },
  datagrams: { number: 1, copied: 0xffff, length: 1024 },
} as const;
type Queue = (typeof QUEUE)[keyof typeof QUEUE];

const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_SUBSYS_QUEUE = 3;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NFQNL_MSG_CONFIG = 2;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;

const be16 = (value: number): Part => u16(((value & 0xff) << 8) | (value >>> 8));
const be32 = (value: number): Part =>
  raw(Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255));

const nfgenmsg = (family: number, resource: number): Part => struct(u8(family), u8(0), be16(resource));

const framing = (type: number): NetlinkMessage => ({
  ...message(type, 0, '', nfgenmsg(0, NFNL_SUBSYS_NFTABLES)),
  frames: true,
});

const TABLE = 'outward';
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_LIST_ELEM = 1;

/** One expression of a rule. Integers of the machine in its registers are in the machine's own order, all others in that of the network. */
type Expression = Part;

const expression = (name: string, ...data: readonly Part[]): Expression =>
  attribute(NFTA_LIST_ELEM, attribute(NFTA_EXPR_NAME, text(name)), attribute(NFTA_EXPR_DATA, ...data));

const NFTA_DATA_VALUE = 1;
const REGISTER = 1;

/** META keys of linux/netfilter/nf_tables.h */
const META = { mark: 3, l4proto: 16, iifgroup: 21 } as const;
const load = (key: number): Expression =>
  expression('meta', attribute(1, be32(REGISTER)), attribute(2, be32(key)));
const compare = (operation: 'eq' | 'neq', value: Part): Expression =>
  expression(
    'cmp',
    attribute(1, be32(REGISTER)),
    attribute(2, be32(operation === 'eq' ? 0 : 1)),
    attribute(3, attribute(NFTA_DATA_VALUE, value)),
  );
const HEADER = { network: 1, transport: 2 } as const;
const payload = (header: keyof typeof HEADER, offset: number, length: number): Expression =>
  expression(
    'payload',
    attribute(1, be32(REGISTER)),
    attribute(2, be32(HEADER[header])),
    attribute(3, be32(offset)),
    attribute(4, be32(length)),
  );
const mask = (bits: Uint8Array): Expression =>
  expression(
    'bitwise',
    attribute(1, be32(REGISTER)),
    attribute(2, be32(REGISTER)),
    attribute(3, be32(bits.length)),
    attribute(4, attribute(NFTA_DATA_VALUE, raw(bits))),
    attribute(5, attribute(NFTA_DATA_VALUE, raw(new Uint8Array(bits.length)))),
  );
const interfaceName = (name: string): Part => {
  const bytes = new Uint8Array(16);
  bytes.set(Buffer.from(name));
  return raw(bytes);
};

const FIB_DADDR = 2;
/** What the routes say of the target. */
const fib = (result: number): Expression =>
  expression('fib', attribute(1, be32(REGISTER)), attribute(2, be32(result)), attribute(3, be32(FIB_DADDR)));

const FIB_OIFNAME = 2;
/** Where would it be sent? */
const leadsTo = (name: string): Expression[] => [fib(FIB_OIFNAME), compare('eq', interfaceName(name))];

const FIB_ADDRTYPE = 3;
const RTN_UNREACHABLE = 7;
const leadsNowhere = (): Expression[] => [fib(FIB_ADDRTYPE), compare('eq', u32(RTN_UNREACHABLE))];

const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const isOf = (protocol: number): Expression[] => [
  load(META.l4proto),
  compare('eq', raw(Uint8Array.of(protocol))),
];
const DADDR = 16;

function notIn({ base, prefix }: Subnet): Expression[] {
  const bits = 0xffffffff << (32 - prefix);
  const maskBytes = Uint8Array.of(bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255);
  return [payload('network', DADDR, 4), mask(maskBytes), compare('neq', raw(ipBytes(base)))];
}

const ofBridges = (): Expression[] => [load(META.iifgroup), compare('eq', u32(OUTWARD_GROUP))];
const OF_BRIDGES = `iifgroup ${OUTWARD_GROUP}`;

const PROTOCOLS = { tcp: IPPROTO_TCP, udp: IPPROTO_UDP } as const;
type Protocol = keyof typeof PROTOCOLS;

/** Rules of one address family. */
interface Family {
  /** As nft has it. */
  name: 'ip' | 'ip6';
  number: number;
  /** Which packets of a protocol go out. */
  outgoing: (protocol: Protocol) => { words: string; expressions: readonly Expression[] };
  /** What a client is told of a target that cannot be reached, and of a port where nobody takes datagrams. */
  unreachable: { words: string; code: number };
  portUnreachable: { words: string; code: number };
}

const ipv4 = (uplink: string, own: Subnet): Family => ({
  name: 'ip',
  number: AF_INET,
  outgoing: (protocol) => ({
    words: `${OF_BRIDGES} meta l4proto ${protocol} ip daddr != ${own.base}/${own.prefix} fib daddr oifname "${uplink}"`,
    expressions: [...ofBridges(), ...isOf(PROTOCOLS[protocol]), ...notIn(own), ...leadsTo(uplink)],
  }),
  unreachable: { words: 'icmp host-unreachable', code: 1 },
  portUnreachable: { words: 'icmp port-unreachable', code: 3 },
});

const IPV6: Family = {
  name: 'ip6',
  number: AF_INET6,
  outgoing: (protocol) => ({
    words: `${OF_BRIDGES} meta l4proto ${protocol} fib daddr type unreachable`,
    expressions: [...ofBridges(), ...isOf(PROTOCOLS[protocol]), ...leadsNowhere()],
  }),
  unreachable: { words: 'icmpv6 addr-unreachable', code: 3 },
  portUnreachable: { words: 'icmpv6 port-unreachable', code: 4 },
};

/** Its data are struct xt_NFQ_info, the queue's number, padded. */
const wait = ({ number }: Queue): Expression[] => [
  expression(
    'target',
    attribute(1, text('NFQUEUE')),
    attribute(2, be32(0)),
    attribute(3, raw(Uint8Array.of(number, 0, 0, 0, 0, 0, 0, 0))),
  ),
];

/** Of FIN, SYN, RST and ACK only SYN is set. */
const isRequest = (): Expression[] => [
  payload('transport', 13, 1),
  mask(Uint8Array.of(0x17)),
  compare('eq', raw(Uint8Array.of(0x02))),
];

const hasMark = (mark: number): Expression[] => [load(META.mark), compare('eq', u32(mark))];
const REJECT = { unreachable: 0, reset: 1 } as const;
const reset = (): Expression => expression('reject', attribute(1, be32(REJECT.reset)));
const isUnreachable = (code: number): Expression =>
  expression('reject', attribute(1, be32(REJECT.unreachable)), attribute(2, u8(code)));
const redirect = (port: number): Expression[] => [
  expression('immediate', attribute(1, be32(REGISTER)), attribute(2, attribute(NFTA_DATA_VALUE, be16(port)))),
  expression('redir', attribute(1, be32(REGISTER))),
];

const nft = (
  { number }: Family,
  type: number,
  flags: number,
  command: string,
  ...body: readonly Part[]
): NetlinkMessage =>
  message((NFNL_SUBSYS_NFTABLES << 8) | type, NLM_F_CREATE | flags, command, nfgenmsg(number, 0), ...body);

const PREROUTING = 0;
const chain = (family: Family, name: string, type: 'filter' | 'nat', priority: number): NetlinkMessage =>
  nft(
    family,
    NFT_MSG_NEWCHAIN,
    0,
    `add chain ${family.name} ${TABLE} ${name} { type ${type} hook prerouting priority ${priority}; }`,
    attribute(1, text(TABLE)),
    attribute(3, text(name)),
    attribute(4, attribute(1, be32(PREROUTING)), attribute(2, be32(priority))),
    attribute(7, text(type)),
  );
const rule = (
  family: Family,
  name: string,
  words: string,
  expressions: readonly Expression[],
): NetlinkMessage =>
  nft(
    family,
    NFT_MSG_NEWRULE,
    NLM_F_APPEND,
    `add rule ${family.name} ${TABLE} ${name} ${words}`,
    attribute(1, text(TABLE)),
    attribute(2, text(name)),
    attribute(4, ...expressions),
  );

/** What goes on after a verdict goes on in the next chain. */
const PRIORITY = { ask: -160, refuse: -155, take: -100 } as const;

/** A whole batch, as it is sent over a NETLINK_NETFILTER socket. */
function rulesOf(family: Family): NetlinkMessage[] {
  const { refused, unreachable } = VERDICT;
  const { name, unreachable: noWay, portUnreachable: nobody } = family;
  const [connections, datagrams] = [family.outgoing('tcp'), family.outgoing('udp')];
  const table = (type: number, verb: string): NetlinkMessage =>
    nft(family, type, 0, `${verb} table ${name} ${TABLE}`, attribute(1, text(TABLE)));
  return [
    framing(NFNL_MSG_BATCH_BEGIN),
    // That of a hub that was killed is made anew: to be removed it has to be there.
    table(NFT_MSG_NEWTABLE, 'add'),
    table(NFT_MSG_DELTABLE, 'delete'),
    table(NFT_MSG_NEWTABLE, 'add'),
    chain(family, 'ask', 'filter', PRIORITY.ask),
    chain(family, 'refuse', 'filter', PRIORITY.refuse),
    chain(family, 'take', 'nat', PRIORITY.take),
    rule(
      family,
      'ask',
      `${connections.words} tcp flags & (fin|syn|rst|ack) == syn # NFQUEUE ${QUEUE.requests.number}`,
      [...connections.expressions, ...isRequest(), ...wait(QUEUE.requests)],
    ),
    rule(family, 'ask', `${datagrams.words} # NFQUEUE ${QUEUE.datagrams.number}`, [
      ...datagrams.expressions,
      ...wait(QUEUE.datagrams),
    ]),
    rule(family, 'refuse', `meta mark ${refused} reject with tcp reset`, [
      ...hasMark(refused),
      ...isOf(IPPROTO_TCP),
      reset(),
    ]),
    rule(family, 'refuse', `meta mark ${refused} meta l4proto udp reject with ${nobody.words}`, [
      ...hasMark(refused),
      ...isOf(IPPROTO_UDP),
      isUnreachable(nobody.code),
    ]),
    rule(family, 'refuse', `meta mark ${unreachable} reject with ${noWay.words}`, [
      ...hasMark(unreachable),
      isUnreachable(noWay.code),
    ]),
    rule(family, 'take', `${connections.words} redirect to :${LISTENING_PORT}`, [
      ...connections.expressions,
      ...redirect(LISTENING_PORT),
    ]),
    framing(NFNL_MSG_BATCH_END),
  ];
}

/** @param uplink name of its interface; @param own the subnet behind it in which it answers itself */
export const outwardRules = (uplink: string, own: Subnet): NetlinkMessage[] => rulesOf(ipv4(uplink, own));
export const outwardRulesOfIpv6 = (): NetlinkMessage[] => rulesOf(IPV6);

const NFQA_CFG_CMD = 1;
const NFQA_CFG_PARAMS = 2;
const NFQA_CFG_QUEUE_MAXLEN = 3;
const NFQNL_CFG_CMD_BIND = 1;
const NFQNL_COPY_PACKET = 2;

/** The socket that this is sent over receives what is queued, and sends the verdicts. */
export const queueHere = ({ number, copied, length }: Queue): NetlinkMessage =>
  message(
    (NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_CONFIG,
    0,
    `queue ${number}`,
    nfgenmsg(0, number),
    attribute(NFQA_CFG_CMD, u8(NFQNL_CFG_CMD_BIND), u8(0), be16(AF_INET)),
    attribute(NFQA_CFG_PARAMS, be32(copied), u8(NFQNL_COPY_PACKET)),
    attribute(NFQA_CFG_QUEUE_MAXLEN, be32(length)),
  );
