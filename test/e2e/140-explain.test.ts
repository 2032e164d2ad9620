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

  it('fetches nothing', async () => {
    const { stderr } = await tsrun.expect(125, ['explain', 'run', 'localhost/no/such/image']);
    expect(stderr).toContain('tsrun pull');
  });
});
