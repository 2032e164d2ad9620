/**
 * kill -9 at any moment (AC-0.3, AC-3.3, AC-4.1, AC-4.3): of the command line during `pull` and `run -d`, and of each process that a
 * running container has on the host. Afterwards the store is whole, the same command succeeds, `ps` tells the truth, ports are free and
 * everything can be removed. (Peers were left with "layer not known", names in use by nothing, and exit codes made up.)
 *
 * A few moments here; two hundred in test/long.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStore, unfinished } from '../support/check-store.ts';
import {
  type ContainerPids,
  containerPids,
  isRunning,
  kill,
  networkHelper,
  portForwarder,
} from '../support/container-processes.ts';
import { fetchText } from '../support/http.ts';
import { durationOf, killPull, killRun, moments } from '../support/kill-anywhere.ts';
import { canListen, freePort } from '../support/ports.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/httpd';
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry[Symbol.asyncDispose]());

describe('of the command line', () => {
  it('during pull', async () => {
    const reference = await registry.push('apache', 'httpd');
    const duration = await durationOf(tsrun, ['pull', reference]);
    await tsrun.ok('rmi', reference);
    for (const moment of moments(duration, 4)) await killPull(tsrun, reference, moment);
    expect(unfinished(tsrun)).toEqual([]);
  });

  it('during run -d', async () => {
    const words = ['run', '-d', '-p', '127.0.0.1::80', IMAGE];
    const duration = await durationOf(tsrun, words);
    await tsrun.ok('rm', '-f', ...(await tsrun.ok('ps', '-aq')).split('\n'));
    for (const moment of moments(duration, 10)) await killRun(tsrun, words, moment);
    expect(unfinished(tsrun)).toEqual([]);
  });

  it('during rm: what was begun is finished by the next command', async () => {
    for (const moment of moments(await durationOf(tsrun, ['ps']), 4)) {
      await tsrun.ok('run', '-d', '--network', 'none', '--name', 'half', IMAGE, 'sleep', '1000');
      const { child, ended } = tsrun.start(['rm', '-f', 'half']);
      await new Promise((resolve) => setTimeout(resolve, moment + 30));
      child.kill('SIGKILL');
      await ended;
      await checkStore(tsrun);
      await tsrun.ok('rm', '-f', 'half');
      // The name is free, whether or not the container was.
      await tsrun.ok('run', '--rm', '--network', 'none', '--name', 'half', IMAGE, 'true');
    }
  });
});

describe('of a running container’s', () => {
  let port: number;
  let pids: ContainerPids;
  const status = () => tsrun.ok('ps', '-a', '--filter', 'name=^web$', '--format', '{{.State}}');
  const exitCode = () => tsrun.ok('inspect', '--format', '{{.State.ExitCode}} {{.State.ExitKnown}}', 'web');

  const begin = async (network: string): Promise<void> => {
    port = await freePort();
    await tsrun.ok('run', '-d', '--name', 'web', '--network', network, '-p', `127.0.0.1:${port}:80`, IMAGE);
    expect(await fetchText(port)).toContain('It works!');
    pids = await containerPids(tsrun, 'web');
  };

  /** The port can be bound again, and the container is gone for all commands. */
  const end = async (): Promise<void> => {
    await until('the port is free', () => canListen(port, '127.0.0.1'));
    await until('no process of it is left', () => !isRunning(pids.init) && !isRunning(pids.supervisor));
    expect(networkHelper(pids.supervisor)).toBeUndefined();
    expect(portForwarder(pids.supervisor)).toBeUndefined();
    await tsrun.ok('rm', 'web');
    expect(existsSync(join(tsrun.store.root, 'names', 'web'))).toBe(false);
  };

  it.each(['pasta', 'slirp4netns'])('init, with %s: exited, 137', async (network) => {
    await begin(network);
    kill(pids.init);
    await until('ps says exited', async () => (await status()) === 'exited');
    expect(await exitCode()).toBe('137 true');
    await end();
  });

  it.each(['pasta', 'slirp4netns'])(
    'supervisor, with %s: exited, and no status is made up',
    async (network) => {
      await begin(network);
      kill(pids.supervisor);
      await until('ps says exited', async () => (await status()) === 'exited');
      expect(await exitCode()).toBe('<nil> false');
      const { stderr } = await tsrun.expect(125, ['wait', 'web']);
      expect(stderr).toContain('not known');
      await end();
    },
  );

  it('supervisor: it can be started again', async () => {
    await begin('pasta');
    kill(pids.supervisor);
    await until('ps says exited', async () => (await status()) === 'exited');
    await until('the port is free', () => canListen(port, '127.0.0.1'));
    await tsrun.ok('start', 'web');
    expect(await fetchText(port)).toContain('It works!');
    pids = await containerPids(tsrun, 'web');
    await tsrun.ok('stop', 'web');
    await end();
  });

  it.each(['pasta', 'slirp4netns:port_handler=slirp4netns', 'private'])(
    'what publishes ports with %s: the container goes on, and stop and rm work',
    async (network) => {
      await begin(network);
      const helper = networkHelper(pids.supervisor);
      expect(network === 'private' || network.startsWith(helper?.name ?? 'none')).toBe(true);
      const publisher = network === 'private' ? portForwarder(pids.supervisor) : helper?.pid;
      kill(publisher);
      await until('the port is free', () => canListen(port, '127.0.0.1'));
      expect(await status()).toBe('running');
      expect(await tsrun.ok('exec', 'web', 'echo', 'alive')).toBe('alive');
      await tsrun.ok('stop', 'web');
      await end();
    },
  );

  it('exec’s supervisor: the container goes on', async () => {
    await begin('pasta');
    const { child, ended } = tsrun.start(['exec', 'web', 'sh', '-c', 'echo up; exec sleep 1000']);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGKILL');
    await ended;
    await until(
      'the exec’d process is gone',
      async () => !(await tsrun.ok('exec', 'web', 'ps')).includes('sleep 1000'),
    );
    expect(await fetchText(port)).toContain('It works!');
    await tsrun.ok('stop', 'web');
    await end();
  });
});
