/** serve.ts SOCKET SCRATCH - runs commands for the benchmark in the surroundings it was started in, one after the other. See room.ts. */
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { type Command, timed } from './process.ts';
import type { Greeting, Reply } from './room.ts';

const [path = '', scratch = ''] = process.argv.slice(2);
mkdirSync(scratch, { recursive: true });
rmSync(path, { force: true });

const env = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== undefined));
const greeting: Greeting = { env: env as Record<string, string> };

async function answer(line: string): Promise<Reply> {
  try {
    return await timed(JSON.parse(line) as Command, scratch);
  } catch (error) {
    return { error: (error as Error).message };
  }
}

const server = createServer(async (socket) => {
  socket.on('error', () => socket.destroy());
  socket.write(`${JSON.stringify(greeting)}\n`);
  for await (const line of createInterface(socket)) socket.write(`${JSON.stringify(await answer(line))}\n`);
});
server.listen(path);
