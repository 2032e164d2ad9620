/** `tsrun explain run …`: prints what `run` does with the same words, and does nothing. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { start, useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';

interface Printed {
  config: { hostname: string; mounts: { destination: string }[] };
  idMaps: { uids: { containerID: number; hostID: number; size: number }[] };
  programs: { steps: { number: number; why: string; call: string }[] }[];
}

// Explaining fetches nothing, so the image must have been used before.
beforeAll(async () => {
  await tsrun.ok('run', '--rm', '--network', 'none', IMAGE, 'true');
});

const asJson = async (...words: string[]): Promise<Printed> =>
  JSON.parse(await tsrun.ok('explain', '--format', 'json', 'run', ...words));

describe('explain', () => {
  it('prints the plan and makes nothing', async () => {
    const text = await tsrun.ok('explain', 'run', '--name', 'planned', '--network', 'none', IMAGE, 'true');
    expect(text).toMatch(/^tsrun run --name planned --network none localhost\/busybox true\n\nIMAGE\n/);
    for (const call of ['clone3(', 'pivot_root(".", ".")', 'capset(', 'seccomp(', 'execve("'])
      expect(text).toContain(call);
    expect(await tsrun.ok('ps', '-aq')).toBe('');
    const containers = join(tsrun.store.root, 'containers');
    expect(existsSync(containers) ? readdirSync(containers) : []).toEqual([]);
  });

  it('tells of a container what the container finds', async () => {
    const words = ['--network', 'none', '--hostname', 'told', '--tmpfs', '/cache', IMAGE];
    const plan = await asJson(...words, 'true');
    const found = await tsrun.ok(
      'run',
      '--rm',
      ...words,
      'sh',
      '-c',
      'hostname; cat /proc/self/uid_map /proc/self/mountinfo',
    );
    const [hostname, ...lines] = found.split('\n');
    expect(plan.config.hostname).toBe(hostname);
    for (const { containerID, hostID, size } of plan.idMaps.uids)
      expect(lines.map((line) => line.trim().replaceAll(/ +/g, ' '))).toContain(
        `${containerID} ${hostID} ${size}`,
      );
    const mounted = lines.map((line) => line.split(' ')[4]);
    expect(mounted).toEqual(expect.arrayContaining(plan.config.mounts.map(({ destination }) => destination)));
  });

  it('numbers the steps and gives each a reason', async () => {
    const { programs } = await asJson('--network', 'none', IMAGE, 'true');
    const steps = programs.flatMap((program) => program.steps);
    expect(steps.map(({ number }) => number)).toEqual(steps.map((_, i) => i + 1));
    expect(steps.filter(({ why, call }) => why === '' || call === '')).toEqual([]);
  });

  it('prints a script that makes the container by hand', async () => {
    const words = [
      'run',
      '--network',
      'none',
      '--hostname',
      'by-hand',
      IMAGE,
      'sh',
      '-c',
      'hostname; echo $$; exit 7',
    ];
    const file = join(tsrun.store.directory, 'container.sh');
    writeFileSync(file, await tsrun.ok('explain', '--format', 'sh', ...words));
    const temporary = join(tsrun.store.directory, 'tmp');
    mkdirSync(temporary, { recursive: true });
    const { status, stdout, stderr } = await start('bash', [file], {
      env: { PATH: process.env.PATH, TMPDIR: temporary },
    }).ended;
    expect(stderr).toBe('');
    expect(stdout).toBe('by-hand\n1\n');
    expect(status).toBe(7);
    expect(readdirSync(temporary).filter((name) => name.startsWith('by-hand'))).toEqual([]);
  });

  // The script of the default network once made none, and did not say so: the container had a loopback, and a DNS server that was not there.
  it('the script makes the bridge, the container’s cable to it, and a way out', async () => {
    const look =
      'ip -4 -o address show eth0; ip route; nc -w 20 $(ip route | grep -o "via [0-9.]*" | cut -d" " -f2) 9; true';
    const words = ['run', IMAGE, 'sh', '-c', look];
    const plan = await tsrun.ok('explain', ...words);
    const [, address = 'none', gateway = 'none'] =
      /^ {2}eth0 +on bridge: ([\d.]+)\/24, .*gateway ([\d.]+)/m.exec(plan) ?? [];
    const script = await tsrun.ok('explain', '--format', 'sh', ...words);
    const env = { PATH: process.env.PATH, TMPDIR: tsrun.store.directory };
    const { status, stdout, stderr } = await start('bash', ['-c', script], { env }).ended;
    expect(status, stderr).toBe(0);
    expect(stdout).toContain(` ${address}/24 `);
    expect(stdout).toContain(`default via ${gateway} dev eth0`);
    // The bridge is there, and nobody listens on it.
    expect(stderr).toContain('Connection refused');
  });

  it('the script joins another container’s namespaces, each of them, and tells the limits that it does not set', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--name',
      'other',
      '--hostname',
      'of-other',
      '--network',
      'none',
      IMAGE,
      'sleep',
      '1000',
    );
    const joined = ['network', 'pid', 'ipc', 'uts'];
    const look = 'for name in net pid ipc uts; do readlink /proc/self/ns/$name; done; hostname';
    const options = joined.flatMap((name) => [`--${name}`, 'container:other']);
    const script = await tsrun.ok(
      'explain',
      '--format',
      'sh',
      'run',
      '--pids-limit',
      '77',
      ...options,
      IMAGE,
      'sh',
      '-c',
      look,
    );
    expect(script).toContain('#     pids.max 77\n');
    const env = { PATH: process.env.PATH, TMPDIR: tsrun.store.directory };
    const { stdout, stderr } = await start('bash', ['-c', script], { env }).ended;
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe(await tsrun.ok('exec', 'other', 'sh', '-c', look));
    expect(stdout).toContain('of-other');
    await tsrun.ok('rm', '-f', 'other');
  });

  it.each([
    'run --log-driver passthrough IMAGE',
    'run oci:./layout',
    'run --mount type=image,source=oci:./layout,destination=/m IMAGE',
  ])('refuses what it would have to ignore, or to do: %s', async (words) => {
    const { stderr } = await tsrun.expect(125, ['explain', ...words.replace('IMAGE', IMAGE).split(' ')]);
    expect(stderr).toMatch(/passthrough|tsrun pull oci:/);
  });

  it('fetches nothing', async () => {
    const { stderr } = await tsrun.expect(125, ['explain', 'run', 'localhost/no/such/image']);
    expect(stderr).toContain('tsrun pull');
  });
});
