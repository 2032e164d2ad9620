/** What nobody can be faster than: Node doing nothing, and a container made by one small program, without image, store or records. */
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from './process.ts';
import { enterRoom, here, mustRun, type Room, socketOf } from './room.ts';

export interface Floor {
  name: 'node' | 'bwrap' | 'crun';
  label: string;
  sample(): Promise<number>;
}

export interface Floors {
  floors: Floor[];
  missing: string[];
  close(): void;
}

const BUSYBOX = '/bin/busybox';

/** A root directory with nothing but busybox. */
async function makeRoot(directory: string): Promise<string> {
  const root = join(directory, 'rootfs');
  await mkdir(join(root, 'bin'), { recursive: true });
  await copyFile(BUSYBOX, join(root, 'bin', 'busybox'));
  await symlink('busybox', join(root, 'bin', 'true'));
  return root;
}

/** A bundle for crun: its own default configuration, running `true`. */
async function makeBundle(room: Room, directory: string): Promise<void> {
  await mustRun(room, { argv: ['crun', 'spec', '--rootless'], env: room.env, cwd: directory });
  const file = join(directory, 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as {
    process: { terminal: boolean; args: string[] };
  };
  config.process.terminal = false;
  config.process.args = ['true'];
  await writeFile(file, JSON.stringify(config));
}

/** @param scratch an existing directory */
export async function makeFloors(scratch: string): Promise<Floors> {
  const local = here(scratch);
  const socket = socketOf('cgroup2');
  const flat = socket ? await enterRoom(socket) : local;
  const directory = join(scratch, 'floors');
  await mkdir(directory);
  const root = await makeRoot(directory);
  const candidates: [Floor['name'], string, Room, Omit<Command, 'env'>][] = [
    ['node', 'node -e 0', local, { argv: [process.execPath, '-e', '0'] }],
    [
      'bwrap',
      'bwrap',
      local,
      { argv: ['bwrap', '--unshare-all', '--bind', root, '/', '--proc', '/proc', '--dev', '/dev', 'true'] },
    ],
    ['crun', 'crun', flat, { argv: ['crun', 'run', 'tsrun-bench'], cwd: directory }],
  ];
  const floors: Floor[] = [];
  const missing: string[] = [];
  for (const [name, label, room, command] of candidates) {
    try {
      if (name === 'crun') await makeBundle(room, directory);
      const floor = { name, label, sample: () => sampleOf(room, { ...command, env: room.env }) };
      await floor.sample();
      floors.push(floor);
    } catch (error) {
      missing.push(`${label}: ${(error as Error).message}`);
    }
  }
  return { floors, missing, close: () => flat.close() };
}

const sampleOf = async (room: Room, command: Command): Promise<number> => (await mustRun(room, command)).ms;
