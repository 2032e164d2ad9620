/**
 * A hundred containers on one bridge: addresses are unique, all names resolve to them, and nothing is left, nor lost that need not be, after
 * kill -9 of any part and of everything at once. (Podman's and docker's leases and DNS entries outlived what was killed.)
 */
import { afterAll, expect, it } from 'vitest';
import { containerPids, isRunning, kill } from '../support/container-processes.ts';
import { forAll } from '../support/for-all.ts';
import { hubsOf, uplinkOf } from '../support/hub-processes.ts';
import { useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const COUNT = 100;
const AT_ONCE = 4;
const names = Array.from({ length: COUNT }, (_, i) => `c${i}`);

/** Name → address, of all that run. */
async function addresses(): Promise<Map<string, string>> {
  const ids = (await tsrun.ok('ps', '-q')).split('\n').filter(Boolean);
  const text = await tsrun.ok('inspect', '-f', '{{.Name}} {{.NetworkSettings.IPAddress}}', ...ids);
  return new Map(text.split('\n').map((line) => line.replace(/^\//, '').split(' ') as [string, string]));
}

/** What `asker` hears when it asks for each of the names. */
async function resolved(asker: string, asked: readonly string[]): Promise<Map<string, string>> {
  const script =
    'for n in "$@"; do echo "$n $(nslookup -type=a $n.dns.tsrun | grep -o "^Address: .*" | cut -d" " -f2)"; done';
  const said = await tsrun.ok('exec', asker, 'sh', '-c', script, 'sh', ...asked);
  return new Map(said.split('\n').map((line) => line.split(' ') as [string, string]));
}

const theHub = (): Promise<number> => until('the hub runs', () => hubsOf(tsrun)[0]);
const theUplink = (hub: number): Promise<number> => until('the uplink runs', () => uplinkOf(hub));

const allPids = async (): Promise<number[]> =>
  (await forAll(names, AT_ONCE, (name) => containerPids(tsrun, name))).flatMap(({ init, supervisor }) =>
    [init, supervisor].filter((pid) => pid > 0),
  );

afterAll(async () => {
  await tsrun.run(['rm', '-f', ...names, 'next']);
});

it('have unique addresses, which their names resolve to', async () => {
  await forAll(names, AT_ONCE, (name) => tsrun.ok('run', '-d', '--name', name, IMAGE, 'sleep', '100000'));
  const all = await addresses();
  expect(all.size).toBe(COUNT);
  expect(new Set(all.values()).size).toBe(COUNT);
  expect(await resolved('c0', names)).toEqual(all);
  expect(await resolved('c99', names)).toEqual(all);
  expect(hubsOf(tsrun)).toHaveLength(1);
});

it('keep them when the hub is killed, and when another takes over', async () => {
  const before = await addresses();
  kill(await theHub());
  await tsrun.ok('network', 'reload', 'c0');
  expect(hubsOf(tsrun)).toHaveLength(1);
  expect(await resolved('c50', names)).toEqual(before);
  await tsrun.ok('run', '--name', 'next', IMAGE, 'true');
  await tsrun.ok('rm', 'next');
  expect(await addresses()).toEqual(before);
});

it('have a way out again when the uplink is killed', async () => {
  const hub = await theHub();
  const uplink = await theUplink(hub);
  kill(uplink);
  await until('there is another', () => (uplinkOf(hub) ?? uplink) !== uplink);
  const ping = ['run', '--rm', '--cap-add', 'NET_RAW', IMAGE, 'ping', '-c', '1', '-W', '5', '10.0.2.2'];
  await until('it answers', async () => (await tsrun.run(ping)).status === 0);
});

it('are forgotten when their supervisors are killed, and their addresses are free', async () => {
  const before = await addresses();
  const killed = names.slice(10, 20);
  const pids = await forAll(killed, AT_ONCE, (name) => containerPids(tsrun, name));
  for (const { supervisor } of pids) kill(supervisor);
  await until('their inits end, too', () => pids.every(({ init }) => !isRunning(init)));
  const left = new Map([...before].filter(([name]) => !killed.includes(name)));
  expect(await addresses()).toEqual(left);
  const heard = await resolved('c0', killed);
  expect([...heard.values()].filter(Boolean)).toEqual([]);
  await forAll(killed, AT_ONCE, (name) => tsrun.ok('start', name));
  const after = await addresses();
  expect(new Set(after.values()).size).toBe(COUNT);
  expect(await resolved('c15', names)).toEqual(after);
});

it('leave nothing when all is killed at once, and can all be started again', async () => {
  const hub = await theHub();
  const pids = [hub, await theUplink(hub), ...(await allPids())];
  for (const pid of pids) kill(pid);
  await until('all have ended', () => pids.every((pid) => !isRunning(pid)));
  expect(hubsOf(tsrun)).toEqual([]);
  expect(await tsrun.ok('ps', '-q')).toBe('');
  await forAll(names, AT_ONCE, (name) => tsrun.ok('start', name));
  const all = await addresses();
  expect(all.size).toBe(COUNT);
  expect(new Set(all.values()).size).toBe(COUNT);
  expect(await resolved('c42', names)).toEqual(all);
});

it('leave nothing when they are removed', async () => {
  await tsrun.ok('rm', '-f', ...names);
  await until('the hub ends', () => hubsOf(tsrun).length === 0);
});
