/**
 * `network reload` of a container whose own helper was killed: it printed the id and had mended nothing, and the container stayed cut off. A
 * helper is started with the container and dies with its supervisor, so only a start makes another; that is said, with the line to paste.
 */
import { afterEach, expect, it } from 'vitest';
import { containerPids, kill, networkHelper, portForwarder } from '../support/container-processes.ts';
import { fetchText, publishedPort } from '../support/http.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const SERVE = ['localhost/busybox', 'httpd', '-f', '-p', '80', '-h', '/etc'];
const supervisorOf = async (): Promise<number> => (await containerPids(tsrun, 'web')).supervisor;

afterEach(async () => {
  await tsrun.run(['rm', '-f', 'web']);
});

it.each(['private', 'pasta'])('--network %s: a killed helper is named, and restart heals', async (mode) => {
  await tsrun.ok('run', '-d', '--name', 'web', '--network', mode, ...SERVE);
  expect(await tsrun.ok('network', 'reload', 'web')).toMatch(/^[0-9a-f]{64}$/);
  const supervisor = await supervisorOf();
  kill(networkHelper(supervisor)?.pid);
  await until('it is gone', () => networkHelper(supervisor) === undefined);
  const { stdout, stderr } = await tsrun.expect(125, ['network', 'reload', 'web']);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/it ended while web ran, which is cut off since then\nhint: tsrun restart web\n/);
  await tsrun.ok('restart', '-t', '0', 'web');
  await tsrun.ok('network', 'reload', 'web');
});

it.each(['bridge', 'private'])('--network %s: so is a killed forwarder of published ports', async (mode) => {
  await tsrun.ok('run', '-d', '--name', 'web', '--network', mode, '-p', '80', ...SERVE);
  const port = publishedPort(await tsrun.ok('port', 'web', '80'));
  await tsrun.ok('network', 'reload', 'web');
  const supervisor = await supervisorOf();
  kill(portForwarder(supervisor));
  await until('it is gone', () => portForwarder(supervisor) === undefined);
  const { stderr } = await tsrun.expect(125, ['network', 'reload', 'web']);
  expect(stderr).toMatch(
    /tsrun-forward .* web ran, which cannot be reached by its published ports since then\n/,
  );
  await tsrun.ok('restart', '-t', '0', 'web');
  await tsrun.ok('network', 'reload', 'web');
  expect(await fetchText(port)).toBeDefined();
});
