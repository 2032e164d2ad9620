/**
 * One end of a connection, in whatever network namespace it was started: `node peer.ts '{"act": …}'`. It prints one JSON value a line.
 *
 * listen  prints {listening}, then {from} for each connection or first datagram of a client; answers `heard:` and what came, once that is
 *         a line or the other side has shut down its sending half
 * dial    sends a line, or with `halfClose` no line but the end of its sending half; prints {answer, from} or {error}
 * resolve asks a nameserver, prints {addresses} or {error}
 */
import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { connect, createServer, type Socket } from 'node:net';
import { type Manner, MUCH } from './manner.ts';

export type PeerRequest =
  | { act: 'listen'; protocol: 'tcp' | 'udp'; address: string; port: number; manner: Manner }
  | {
      act: 'dial';
      protocol: 'tcp' | 'udp';
      address: string;
      port: number;
      send: string;
      halfClose: boolean;
      localAddress?: string;
      localPort?: number;
    }
  | { act: 'resolve'; server: string; name: string };

const say = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const failed = (error: Error): void => say({ error: (error as NodeJS.ErrnoException).code ?? error.message });

const MANNERS: Record<Exclude<Manner, 'answers'>, (socket: Socket) => void> = {
  'ends first': (socket) => {
    let heard = '';
    socket.end('bye');
    socket.on('data', (chunk: Buffer) => {
      heard += chunk;
    });
    socket.on('end', () => say({ heard }));
  },
  resets: (socket) => void socket.once('data', () => socket.resetAndDestroy()),
  // Closed with bytes unread, the kernel answers what still comes with RST.
  'answers and closes': (socket) => {
    socket.pause();
    socket.write('enough', () => setTimeout(() => socket.destroy(), 50));
  },
  'sends much': (socket) => void socket.end(Buffer.alloc(MUCH, 'tsrun')),
};

function listenTcp(address: string, port: number, manner: Manner): void {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let heard = '';
    if (manner !== 'answers') {
      say({ from: socket.remoteAddress });
      socket.on('error', failed);
      MANNERS[manner](socket);
      return;
    }
    const answer = () => void (socket.writableEnded || socket.end(`heard:${heard.trim()}`));
    say({ from: socket.remoteAddress });
    socket.on('data', (chunk: Buffer) => {
      heard += chunk;
      if (heard.endsWith('\n')) answer();
    });
    socket.on('end', answer);
    socket.on('error', failed);
  });
  server.listen({ host: address, port }, () => say({ listening: true }));
}

function listenUdp(address: string, port: number): void {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  // A client whose answer takes its time asks again.
  const clients = new Set<string>();
  socket.on('message', (message, from) => {
    const client = `${from.address} ${from.port}`;
    if (!clients.has(client)) say({ from: from.address });
    clients.add(client);
    socket.send(`heard:${message}`, from.port, from.address);
  });
  socket.bind(port, address, () => say({ listening: true }));
}

function dialTcp(request: PeerRequest & { act: 'dial' }): void {
  const { address: host, port, send, halfClose, localAddress } = request;
  const socket = connect({
    host,
    port,
    allowHalfOpen: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  const chunks: Buffer[] = [];
  socket.setTimeout(5000, () => socket.destroy(new Error('timed out')));
  socket.on('connect', () => (halfClose ? socket.end(send) : socket.write(`${send}\n`)));
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => {
    say({ answer: `${Buffer.concat(chunks)}` });
    socket.end();
  });
  socket.on('error', failed);
}

/** Datagrams may be lost before the other side listens: sends until an answer comes. */
function dialUdp({ address, port, send, localAddress, localPort }: PeerRequest & { act: 'dial' }): void {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(localPort ?? 0, localAddress, () => socket.connect(port, address));
  const again = setInterval(() => socket.send(send), 100);
  const over = setTimeout(() => end({ error: 'timed out' }), 5000);
  const end = (value: object): void => {
    clearInterval(again);
    clearTimeout(over);
    socket.close();
    say(value);
  };
  socket.on('message', (message) => end({ answer: `${message}` }));
  socket.on('error', (error) => end({ error: (error as NodeJS.ErrnoException).code }));
}

async function resolve(server: string, name: string): Promise<void> {
  const resolver = new dns.Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([server]);
  try {
    say({ addresses: await resolver.resolve4(name) });
  } catch (error) {
    failed(error as Error);
  }
}

const request = JSON.parse(process.argv[2] ?? '') as PeerRequest;
if (request.act === 'resolve') await resolve(request.server, request.name);
else if (request.act === 'listen')
  (request.protocol === 'tcp' ? listenTcp : listenUdp)(request.address, request.port, request.manner);
else (request.protocol === 'tcp' ? dialTcp : dialUdp)(request);
