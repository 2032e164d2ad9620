/**
 * Docker's rootless mode: dockerd in namespaces of rootlesskit's, by Debian's own script, as an ordinary user starts it. Rootlesskit's `builtin`
 * driver publishes its ports.
 *
 * The daemon's network namespace has a loopback of its own, and does not reach the registry: the image comes as an archive.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from '../../support/registry.ts';
import { Engine } from '../engine.ts';
import { here } from '../room.ts';
import { IMAGE } from './image.ts';

/** Not in any PATH with Debian's docker.io; upstream's packages have it in /usr/bin. */
const SCRIPTS = ['/usr/bin/dockerd-rootless.sh', '/usr/share/docker.io/contrib/dockerd-rootless.sh'];
const NOT_THERE = 'it is not here: sudo apt-get install docker.io rootlesskit';

const START_MS = 60_000;
const END_MS = 60_000;

export interface RootlessDocker extends AsyncDisposable {
  readonly engine: Engine;
}

/**
 * Starts a daemon whose data is below `scratch`, and gives it the image.
 * @param tsrun removes the data, in which subordinate ids may own files
 * @throws Error with the last line of the daemon when it does not start here
 */
export async function startDocker(
  registry: Registry,
  tsrun: Engine,
  scratch: string,
): Promise<RootlessDocker> {
  const script = SCRIPTS.find((path) => existsSync(path));
  if (script === undefined) throw new Error(NOT_THERE);
  const home = join(scratch, 'docker');
  mkdirSync(home);
  // A socket's path has room for 107 bytes.
  const runtime = mkdtempSync(join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), 'tsrun-bench-docker-'));
  const env = {
    ...here(scratch).env,
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
    HOME: home,
    XDG_RUNTIME_DIR: runtime,
    DOCKER_HOST: `unix://${join(runtime, 'docker.sock')}`,
  };
  const log = join(home, 'log');
  const daemon = startDaemon(script, home, env, log);
  const stop = async (): Promise<void> => {
    await end(daemon);
    await tsrun.removeStore(home);
    await rm(runtime, { recursive: true, force: true });
  };
  try {
    const room = { ...here(scratch), env };
    const engine = new Engine({ ...SETUP, room, env, registry });
    const version = await untilItAnswers(engine, daemon, log);
    engine.label = `docker rootless ${version}`;
    const archive = join(home, 'image.tar');
    const reference = engine.reference(IMAGE);
    const copy = ['--insecure-policy', 'copy', '-q', '--src-tls-verify=false', `docker://${reference}`];
    execFileSync('skopeo', [...copy, `docker-archive:${archive}:${reference}:latest`], { stdio: 'pipe' });
    await engine.run('load', '-q', '-i', archive);
    return { engine, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const SETUP = { name: 'docker', argv: ['docker'], pullWords: [], storeWords: () => [] } as const;

function startDaemon(script: string, home: string, env: Record<string, string>, log: string): ChildProcess {
  const { XDG_RUNTIME_DIR: runtime = '', DOCKER_HOST: socket = '' } = env;
  const places = ['--data-root', join(home, 'data'), '--exec-root', join(runtime, 'exec')];
  const out = openSync(log, 'w');
  try {
    return spawn('sh', [script, ...places, '--pidfile', join(runtime, 'pid'), '-H', socket], {
      env,
      stdio: ['ignore', out, out],
      detached: true,
    });
  } finally {
    closeSync(out);
  }
}

const ended = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** The version of the server. */
async function untilItAnswers(engine: Engine, daemon: ChildProcess, log: string): Promise<string> {
  const patience = Date.now() + START_MS;
  for (;;) {
    const { status, stdout } = await engine.room.run(
      engine.command('version', '--format', '{{.Server.Version}}'),
    );
    if (status === 0) return stdout.trim();
    if (ended(daemon) || Date.now() > patience) throw new Error(`the daemon: ${lastLine(log)}`);
    await sleep(100);
  }
}

const lastLine = (log: string): string =>
  readFileSync(log, 'utf8').trim().split('\n').at(-1) || 'it says nothing';

/** Rootlesskit ends the daemon, and all with it. */
async function end(daemon: ChildProcess): Promise<void> {
  if (ended(daemon) || daemon.pid === undefined) return;
  const exit = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  const late = new AbortController();
  const tooLate = sleep(END_MS, true, { signal: late.signal }).catch(() => false);
  if (await Promise.race([exit.then(() => false), tooLate])) process.kill(-daemon.pid, 'SIGKILL');
  late.abort();
  await exit;
}
