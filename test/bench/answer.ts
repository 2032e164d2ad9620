/** From the command line to the page: `run -d -p PORT:80` of the Apache image, until it answers a request. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';

const NAME = 'tsrun-bench-answer';
const ASK_AGAIN_MS = 1;
const PATIENCE_MS = 20_000;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Asks once. A forwarder may accept before the server listens, and then hang up or say nothing: that is no answer. */
function isAnswered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const end = (): void => {
      socket.destroy();
      resolve(/^HTTP\/1\.[01] 200 /.test(text));
    };
    socket.setTimeout(500, end);
    socket.on('error', end);
    socket.on('close', end);
    socket.on('connect', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n')) end();
    });
  });
}

/** @returns milliseconds */
export async function firstAnswer(engine: Engine): Promise<number> {
  const port = await freePort();
  const start = process.hrtime.bigint();
  const words = ['run', '-d', '--name', NAME, '-p', `127.0.0.1:${port}:80`, engine.reference('apache')];
  const started = engine.run(...words);
  // Its failure is told below; meanwhile it must not be an unhandled one.
  const failed = started.then(
    () => false,
    () => true,
  );
  try {
    while (!(await isAnswered(port))) {
      if (Number(process.hrtime.bigint() - start) / 1e6 > PATIENCE_MS) throw new Error('there was no answer');
      if (await Promise.race([failed, sleep(ASK_AGAIN_MS, false)])) break;
    }
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    await started;
    return ms;
  } finally {
    await failed;
    await engine.room.run(engine.command('rm', '-f', NAME));
  }
}
