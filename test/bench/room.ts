/**
 * Where commands run. An engine that needs other surroundings than this machine has (a plain cgroup v2 tree, another distribution's
 * userland) is run, and timed, by a server in there (serve.ts, started as root by room.sh before the benchmark became an ordinary user).
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Command, CommandFailure, type Outcome, timed } from './process.ts';

export interface Room {
  /** Environment of a command in there. */
  readonly env: Readonly<Record<string, string>>;
  run(command: Command): Promise<Outcome>;
  close(): void;
}

/** What a server says first, and at each request. */
export interface Greeting {
  env: Record<string, string>;
}
export type Reply = Outcome | { error: string };

/** This process's own surroundings. */
export function here(scratch: string): Room {
  const env = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== undefined));
  return { env: env as Record<string, string>, run: (command) => timed(command, scratch), close: () => {} };
}

/** The socket of the room `name`; undefined when it was not set up. */
export function socketOf(name: string): string | undefined {
  const directory = process.env.TSRUN_BENCH_ROOMS;
  const path = directory === undefined ? undefined : join(directory, name);
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** Enters the room whose server listens at `path`. */
export async function enterRoom(path: string): Promise<Room> {
  const socket = connect(path);
  await once(socket, 'connect');
  const lines = createInterface(socket)[Symbol.asyncIterator]();
  const { env } = await receive<Greeting>(lines);
  return {
    env,
    run: async (command) => {
      await send(socket, command);
      const reply = await receive<Reply>(lines);
      if ('error' in reply) throw new Error(reply.error);
      return reply;
    },
    close: () => socket.destroy(),
  };
}

async function receive<T>(lines: AsyncIterator<string>): Promise<T> {
  const { value, done } = await lines.next();
  if (done) throw new Error('the server of a room has ended');
  return JSON.parse(value) as T;
}

const send = (socket: Socket, command: Command): Promise<void> =>
  new Promise((resolve) => {
    socket.write(`${JSON.stringify(command)}\n`, () => resolve());
  });

/** Runs a command that must succeed. @throws CommandFailure */
export async function mustRun(room: Room, command: Command): Promise<Outcome> {
  const outcome = await room.run(command);
  if (outcome.status !== 0) throw new CommandFailure(command, outcome);
  return outcome;
}
