/**
 * A DNS server as a VPN or systemd-resolved has it: `node dns-stub.ts ADDRESS NAME IPV4`. It knows one private name, by UDP and TCP, and says
 * NXDOMAIN to all others. ADDRESS may be `::`, all of both families. Of `long.NAME` it says by UDP only that the answer is too long for that (TC), and by TCP four addresses.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const [address = '', privateName = '', ipv4 = ''] = process.argv.slice(2);
const TRUNCATED = 0x0200;
const ANSWER = 0x8180;
const NO_SUCH_NAME = 3;
const A = 1;

function nameAt(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5 };
}

const record = (lastByte: number): Buffer =>
  Buffer.from([
    0xc0,
    12,
    0,
    A,
    0,
    1,
    0,
    0,
    0,
    60,
    0,
    4,
    ...ipv4.split('.').slice(0, 3).map(Number),
    lastByte,
  ]);

function answer(query: Buffer, isTcp: boolean): Buffer {
  const { name, end } = nameAt(query);
  const isLong = name === `long.${privateName}`;
  const isKnown = isLong || name === privateName;
  const last = Number(ipv4.split('.')[3]);
  const isAddress = query.readUInt16BE(end - 4) === A;
  const records =
    isKnown && isAddress && !(isLong && !isTcp) ? (isLong ? [1, 2, 3, 4] : [last]).map(record) : [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(ANSWER | (isLong && !isTcp ? TRUNCATED : 0) | (isKnown ? 0 : NO_SUCH_NAME), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(12, end), ...records]);
}

const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
udp.on('message', (query, from) => udp.send(answer(query, false), from.port, from.address));
udp.bind(53, address);
createServer((socket) => {
  socket.on('data', (bytes: Buffer) => {
    const said = answer(bytes.subarray(2), true);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(said.length);
    socket.write(Buffer.concat([length, said]));
  });
  socket.on('error', () => undefined);
}).listen(53, address);
