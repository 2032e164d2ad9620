/** Sets up the engines, each with a store of its own into which the images are pulled. One that cannot run says why. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Registry } from '../support/registry.ts';
import type { TestStore } from '../support/store.ts';
import { Engine, type EngineSetup, tsrunEngine } from './engine.ts';
import { enterRoom, here, type Room, socketOf } from './room.ts';

export interface Engines {
  engines: Engine[];
  /** One line for each peer that is not there. */
  missing: string[];
}

/** @param store of tsrun @param scratch where peers may keep theirs; removed by the caller with removePeers() */
export async function makeEngines(registry: Registry, store: TestStore, scratch: string): Promise<Engines> {
  const missing: string[] = [];
  const engines = [await tsrun(registry, store, scratch)];
  for (const [name, make] of [
    ['podman 5', podman5],
    ['podman 4', podman4],
  ] as const) {
    try {
      engines.push(await make(registry, scratch));
    } catch (error) {
      missing.push(`${name}: ${(error as Error).message}`);
    }
  }
  return { engines, missing };
}

async function tsrun(registry: Registry, store: TestStore, scratch: string): Promise<Engine> {
  const engine = tsrunEngine(registry, store, here(scratch));
  await prepare(engine);
  return engine;
}

const podman = (setup: Pick<EngineSetup, 'name' | 'room' | 'env' | 'registry'>): Engine =>
  new Engine({
    ...setup,
    argv: ['podman'],
    pullWords: ['--tls-verify=false'],
    // podman 4 takes no path for its runtime files that is longer than 50 characters
    runtimeOf: (directory) => join(setup.room.env.XDG_RUNTIME_DIR ?? '', basename(directory)),
    storeWords: (directory, runtime) => ['--root', directory, '--runroot', runtime],
  });

async function podman5(registry: Registry): Promise<Engine> {
  const socket = socketOf('podman5');
  if (!socket) throw new Error('not set up (it needs root, and the script that $PODMAN5 names)');
  const room = await enterRoom(socket);
  const engine = podman({ name: 'podman5', room, env: room.env, registry });
  await prepare(engine);
  return engine;
}

/** What may work here, the fastest first: crun refuses hybrid cgroups, runc refuses none. */
const CONFIGURATIONS = [
  { runtime: 'crun', cgroups: 'disabled' },
  { runtime: 'crun', cgroups: 'enabled' },
  { runtime: 'runc', cgroups: 'enabled' },
];

async function podman4(registry: Registry, scratch: string): Promise<Engine> {
  const socket = socketOf('cgroup2');
  const room: Room = socket ? await enterRoom(socket) : here(scratch);
  const home = join(scratch, 'podman4');
  const configuration = join(home, '.config', 'containers');
  await mkdir(configuration, { recursive: true });
  // Below a home directory `run` waits 20 seconds for the file in which conmon leaves the exit status.
  const runtime = join(room.env.XDG_RUNTIME_DIR ?? home, 'tsrun-bench');
  await mkdir(runtime, { mode: 0o700, recursive: true });
  await writeFile(join(configuration, 'storage.conf'), '[storage]\ndriver = "overlay"\n');
  const { PATH = '', LANG = '', USER = '' } = room.env;
  const env = { PATH, LANG, USER, LOGNAME: USER, HOME: home, XDG_RUNTIME_DIR: runtime };
  let failure: unknown;
  for (const { runtime, cgroups } of CONFIGURATIONS) {
    const engine = podman({ name: 'podman4', room, env, registry });
    const text = `[containers]\ncgroups = "${cgroups}"\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "${runtime}"\n`;
    await writeFile(join(configuration, 'containers.conf'), text);
    try {
      await prepare(engine);
      engine.label += ` (${runtime})`;
      return engine;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Pulls the images, and runs a first container. @throws CommandFailure when the engine does not work here */
async function prepare(engine: Engine): Promise<void> {
  const { stdout } = await engine.run('--version');
  engine.label = /\S+ version \S+/.exec(stdout)?.[0].replace(' version', '') ?? engine.name;
  await engine.pull('busybox');
  await engine.run('run', '--rm', '--network', 'none', engine.reference('busybox'), 'true');
  await engine.pull('apache');
}

/** Ends what the peers keep running, and empties their stores. */
export async function removePeers(engines: readonly Engine[]): Promise<void> {
  for (const engine of engines) {
    if (engine.name !== 'tsrun') await engine.run('system', 'reset', '--force');
    engine.room.close();
  }
}
