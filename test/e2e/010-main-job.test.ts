/**
 * The main job: an ordinary user fetches a web server from a registry, runs it, reads its page, closes the terminal, comes back, stops
 * and removes it. Then nothing of it is left: no process, mount, network namespace, port or temporary file.
 *
 * The image is Debian's Apache in five layers, the registry is Debian's docker-registry. The tests are steps of one story.
 */
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type ContainerPids,
  containerPids,
  isRunning,
  namespaceOf,
  networkNamespaces,
} from '../support/container-processes.ts';
import { fetchText } from '../support/http.ts';
import { canListen, freePort } from '../support/ports.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { expectNoLeftovers } from '../support/store.ts';
import { onTerminal } from '../support/terminal.ts';
import { BINARY, useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const PAGE = '<html><body><h1>It works!</h1></body></html>\n';

const tsrun = useTsrun();
let registry: Registry;
let reference: string;
let port: number;
/** Network namespaces of its containers. */
const namespaces = new Set<string>();
let id: string;

async function noteNamespace(container: string): Promise<ContainerPids> {
  const pids = await containerPids(tsrun, container);
  namespaces.add(namespaceOf(pids.init, 'net') ?? 'unknown');
  return pids;
}

beforeAll(async () => {
  registry = await startRegistry();
  reference = await registry.push('apache', 'httpd');
  port = await freePort();
});
afterAll(() => registry[Symbol.asyncDispose]());

it('run -d fetches the image, and prints the id of the container and nothing else', async () => {
  const { stdout, stderr } = await tsrun.expect(0, ['run', '-d', '-p', `${port}:80`, reference]);
  expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
  id = stdout.trim();
  expect(stderr).toContain('Pull complete');
  expect(stderr).toMatch(/Status: Downloaded newer image for 127\.0\.0\.1:\d+\/httpd:latest/);
});

it('the page is served on the port', async () => {
  expect(await fetchText(port)).toBe(PAGE);
  await noteNamespace(id);
});

it('the server runs as the image says: its master as root of the container, its workers as www-data', async () => {
  const script = 'for p in /proc/[0-9]*; do echo $(cat $p/comm) $(stat -c %U $p); done';
  const processes = (await tsrun.ok('exec', id, 'sh', '-c', script)).split('\n');
  expect(processes).toContain('apache2 root');
  expect(processes).toContain('apache2 www-data');
});

it('its log is the container’s, and names the address of each client', async () => {
  const log = await until('the access log', async () => {
    const { stdout } = await tsrun.expect(0, ['logs', id]);
    return stdout.includes('"GET / HTTP/1.1" 200') && stdout;
  });
  const address = /^(\S+) \S+ \S+ \[.*"GET \/ HTTP\/1\.1" 200/m.exec(log)?.[1];
  // A client on this machine's loopback is seen as the container's gateway.
  expect(address).toBe(await tsrun.ok('inspect', '-f', '{{.NetworkSettings.Gateway}}', id));
});

it('the image in the store is not fetched again', async () => {
  const { stdout, stderr } = await tsrun.expect(0, [
    'run',
    '--rm',
    reference,
    'cat',
    '/var/www/html/index.html',
  ]);
  expect(stdout).toBe(PAGE);
  expect(stderr).not.toContain('Pull');
});

it('stop ends the server by the image’s stop signal, and closes the port', async () => {
  await tsrun.ok('stop', id);
  const [{ State: state }] = JSON.parse(await tsrun.ok('inspect', id));
  expect(state).toMatchObject({ Status: 'exited', ExitCode: 0, Pid: 0 });
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  expect(await canListen(port)).toBe(true);
});

it('started again, it serves on the same port', async () => {
  await tsrun.ok('start', id);
  expect(await fetchText(port)).toBe(PAGE);
  await tsrun.ok('rm', '-f', id);
});

it('kill -9 of the tsrun in the foreground: the server goes on, and can be stopped', async () => {
  const { child, ended } = tsrun.start(['run', '--name', 'front', '-p', `${port}:80`, reference]);
  expect(await fetchText(port)).toBe(PAGE);
  child.kill('SIGKILL');
  expect((await ended).signal).toBe('SIGKILL');
  expect(await fetchText(port)).toBe(PAGE);
  await tsrun.ok('stop', 'front');
  await tsrun.ok('rm', 'front');
});

it('closing the terminal from which it was started does not stop it', async () => {
  const shell = onTerminal(
    ['sh', '-c', `${BINARY} run -d --name away -p ${port}:80 ${reference}; kill -HUP 0`],
    {
      env: tsrun.store.env,
      cwd: tsrun.store.directory,
    },
  );
  await shell.ended;
  expect(await fetchText(port)).toBe(PAGE);
  const pids = await noteNamespace('away');
  await tsrun.ok('stop', 'away');
  await tsrun.ok('rm', 'away');
  await until('its processes are gone', () => !isRunning(pids.init) && !isRunning(pids.supervisor));
});

it('nothing is left', async () => {
  expect(await tsrun.ok('ps', '-aq')).toBe('');
  await expectNoLeftovers(tsrun.store);
  expect(await canListen(port)).toBe(true);
  await until('the network namespaces are gone', () =>
    [...networkNamespaces()].every((name) => !namespaces.has(name)),
  );
});

it('rmi removes the image, and then the store has none', async () => {
  await tsrun.ok('rmi', reference);
  expect(await tsrun.ok('images', '-q')).toBe('');
  for (const name of ['layers', 'blobs/sha256']) {
    const place = `${tsrun.store.root}/${name}`;
    expect(existsSync(place) ? readdirSync(place) : [], name).toEqual([]);
  }
});
