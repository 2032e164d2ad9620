/** Limits → files of a cgroup, and where a cgroup may be made: on trees of files that look as /sys/fs/cgroup does. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changedResources, LIMIT_OPTIONS, limitsRequest } from '../../../src/cli/options/limit-options.ts';
import { changedFiles } from '../../../src/launch/cgroup/limit-changes.ts';
import { cpuWeight, limitFiles } from '../../../src/launch/cgroup/limit-files.ts';
import { cgroupPlaces } from '../../../src/launch/cgroup/places.ts';
import { planCgroup } from '../../../src/launch/cgroup/plan.ts';
import type { RuntimeResources } from '../../../src/spec/runtime.ts';
import { Slots, type Step } from '../../../src/sys/step.ts';

const asText = (resources: RuntimeResources, version: 1 | 2): string[] =>
  limitFiles(resources, version).map(({ name, value }) => `${name}=${value}`);

describe('files', () => {
  const all: RuntimeResources = {
    memory: { limit: 64 << 20, swap: 96 << 20, reservation: 32 << 20 },
    cpu: { shares: 1024, quota: 50_000, period: 100_000, cpus: '0-1', mems: '0' },
    pids: { limit: 20 },
  };

  it('of v2', () => {
    expect(asText(all, 2)).toEqual([
      'memory.max=67108864',
      'memory.swap.max=33554432',
      'memory.low=33554432',
      'cpu.weight=100',
      'cpu.max=50000 100000',
      'cpuset.cpus=0-1',
      'cpuset.mems=0',
      'pids.max=20',
    ]);
  });

  it('of v1', () => {
    expect(asText(all, 1)).toEqual([
      'memory.limit_in_bytes=67108864',
      'memory.memsw.limit_in_bytes=100663296',
      'memory.soft_limit_in_bytes=33554432',
      'cpu.shares=1024',
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=50000',
      'cpuset.cpus=0-1',
      'cpuset.mems=0',
      'pids.max=20',
    ]);
  });

  it('no limit is no limit', () => {
    expect(asText({}, 2)).toEqual([]);
    expect(asText({ pids: { limit: -1 } }, 2)).toEqual([]);
    expect(asText({ memory: { limit: 1 << 20, swap: -1 } }, 2)).toEqual([
      'memory.max=1048576',
      'memory.swap.max=max',
    ]);
    expect(asText({ cpu: { quota: -1, period: 50_000 } }, 2)).toEqual(['cpu.max=max 50000']);
    expect(asText({ cpu: { quota: 20_000 } }, 2)).toEqual(['cpu.max=20000 100000']);
  });

  it('the weight has the ends and the usual value of shares, and grows with them', () => {
    expect([2, 1024, 262_144].map(cpuWeight)).toEqual([1, 100, 10_000]);
    const shares = fc.integer({ min: 1, max: 300_000 });
    fc.assert(
      fc.property(shares, shares, (a, b) => {
        const [low, high] = [cpuWeight(Math.min(a, b)), cpuWeight(Math.max(a, b))];
        return low >= 1 && low <= high && high <= 10_000;
      }),
    );
  });
});

describe('options', () => {
  const request = (given: Record<string, string>) =>
    limitsRequest(
      Object.fromEntries(
        Object.entries(given).map(([name, text]) => [
          name,
          LIMIT_OPTIONS[name as keyof typeof LIMIT_OPTIONS].parse(text),
        ]),
      ) as never,
    );

  it('are the runtime configuration’s resources', () => {
    expect(request({ memory: '64m', cpus: '1.5', 'cpu-shares': '512', 'pids-limit': '0' }).resources).toEqual(
      {
        memory: { limit: 64 << 20, swap: 128 << 20 },
        cpu: { quota: 150_000, period: 100_000, shares: 512 },
        pids: { limit: -1 },
      },
    );
    expect(request({}).resources).toEqual({});
    expect(request({ cgroups: 'no-conmon' }).cgroups).toBe('enabled');
    expect(request({ memory: '1g', 'memory-swap': '-1' }).resources).toEqual({
      memory: { limit: 1 << 30, swap: -1 },
    });
  });

  it.each([
    [{ 'memory-swap': '1g' }, /needs --memory/],
    [{ memory: '1g', 'memory-swap': '512m' }, /cannot be less/],
    [{ memory: '1g', 'memory-reservation': '2g' }, /cannot be more/],
    [{ cpus: '1', 'cpu-quota': '1000' }, /quota and a period already/],
    [{ cpus: 'two' }, /not a number of processors/],
    [{ cpus: '-1' }, /not a number of processors/],
    [{ 'cpuset-cpus': '0-x' }, /not a list of numbers/],
    [{ 'oom-score-adj': '1001' }, /-1000 to 1000/],
    [{ 'cgroup-parent': '../up' }, /not the path of a cgroup/],
    [{ 'cgroup-parent': '/a/../../b' }, /not the path of a cgroup/],
    [{ cgroups: 'disabled', memory: '64m' }, /limits need a cgroup/],
  ])('%j is refused', (given, problem) => {
    expect(() => request(given as unknown as Record<string, string>)).toThrow(problem);
  });
});

describe('changes of a running container', () => {
  const changes = (before: RuntimeResources, after: RuntimeResources, version: 1 | 2) =>
    changedFiles(before, after, version).map(({ name, value }) => `${name}=${value}`);
  const memory = { limit: 4096, swap: 8192 };

  it('are the files that differ, and those of limits that are given up', () => {
    expect(changes({ memory, pids: { limit: 5 } }, { memory, pids: { limit: 6 } }, 2)).toEqual([
      'pids.max=6',
    ]);
    expect(changes({ memory, cpu: { quota: 5000 } }, {}, 2)).toEqual([
      'memory.max=max',
      'memory.swap.max=max',
      'cpu.max=max 100000',
    ]);
    expect(changes({ memory }, {}, 1)).toEqual([
      'memory.limit_in_bytes=-1',
      'memory.memsw.limit_in_bytes=-1',
    ]);
    expect(changes({ memory }, { memory }, 1)).toEqual([]);
  });

  const changed = (before: RuntimeResources, given: Record<string, unknown>) =>
    changedResources(before, given as never);

  it('of one option leave the others', () => {
    const before = { memory, cpu: { shares: 512, cpus: '0' }, pids: { limit: 7 } };
    expect(changed(before, { memory: 16_384 })).toEqual({
      ...before,
      memory: { limit: 16_384, swap: 32_768 },
    });
    expect(changed(before, { cpus: 2 })).toEqual({
      ...before,
      cpu: { shares: 512, cpus: '0', quota: 200_000, period: 100_000 },
    });
    expect(changed({ cpu: { quota: 200_000, period: 100_000 } }, { cpus: 0 })).toEqual({});
    expect(changed({ cpu: { quota: 200_000, period: 100_000 } }, { 'cpu-quota': 5000 })).toEqual({
      cpu: { quota: 5000, period: 100_000 },
    });
  });

  it('keep swap that was asked for, and refuse it when it is too little', () => {
    expect(changed({ memory: { limit: 4096, swap: -1 } }, { memory: 8192 })).toEqual({
      memory: { limit: 8192, swap: -1 },
    });
    expect(() => changed({ memory: { limit: 4096, swap: 5000 } }, { memory: 8192 })).toThrow(
      /cannot be less/,
    );
    expect(changed({ memory: { limit: 4096, swap: 5000 } }, { memory: 0 })).toEqual({});
  });
});

describe('places', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tsrun-cgroup-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** A directory of cgroup v2. */
  const group = (path: string, files: { controllers?: string; enabled?: string; procs?: string }): void => {
    const directory = join(root, path);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'cgroup.controllers'), `${files.controllers ?? ''}\n`);
    writeFileSync(join(directory, 'cgroup.subtree_control'), `${files.enabled ?? ''}\n`);
    writeFileSync(join(directory, 'cgroup.procs'), files.procs ?? '');
  };
  /** Files of others; by name and not by mode, which root may ignore. */
  const foreign = new Set<string>();
  const others = (path: string): unknown => foreign.add(join(root, path));
  const host = (own: string) => ({ root, own, pid: 42, mayWrite: (path: string) => !foreign.has(path) });

  it('is the cgroup above, where that hands controllers down and our own has processes of others', () => {
    group('.', { controllers: 'cpu memory pids', enabled: 'cpu memory pids' });
    others('.');
    group('user', { controllers: 'memory pids', enabled: 'memory pids' });
    group('user/app', { controllers: 'memory pids', procs: '7\n42\n' });
    expect(cgroupPlaces(host('0::/user/app\n'), ['memory', 'pids'])).toEqual([
      expect.objectContaining({ directory: `${root}/user`, enabled: ['memory', 'pids'], crowded: false }),
    ]);
  });

  it('is our own when we are alone there; then we go into a leaf before controllers are turned on', () => {
    group('.', { controllers: 'memory pids', enabled: 'memory pids' });
    others('.');
    group('scope', { controllers: 'memory pids', procs: '42\n' });
    const [place, ...more] = cgroupPlaces(host('0::/scope\n'), ['memory', 'pids']);
    expect(more).toEqual([]);
    expect(place).toMatchObject({
      directory: `${root}/scope`,
      crowded: true,
      controllers: ['memory', 'pids'],
    });
    const plan = planCgroup([place!], 'c', { memory: { limit: 4096 } }, 42);
    expect(plan).toMatchObject({ missing: [], oomFile: `${root}/scope/c/memory.events` });
    expect(paths(plan.make(new Slots()))).toEqual([
      'mkdirat scope/tsrun',
      'openat scope/tsrun/cgroup.procs',
      'openat scope/tsrun/cgroup.procs',
      'openat scope/cgroup.subtree_control',
      'mkdirat scope/c',
      'openat scope/c/memory.max',
      'openat scope/c/pids.max',
    ]);
    expect(paths(plan.remove)).toEqual(['remove scope/c']);
  });

  it('what nobody hands down is missing, and the rest is still had', () => {
    group('.', { controllers: 'cpu memory pids', enabled: 'pids' });
    others('.');
    group('mine', { controllers: 'pids', enabled: 'pids' });
    const places = cgroupPlaces(host('0::/mine\n'), ['memory', 'pids']);
    expect(planCgroup(places, 'c', { memory: { limit: 4096 }, pids: { limit: 5 } }, 42)).toMatchObject({
      directories: [`${root}/mine/c`],
      missing: ['memory'],
    });
  });

  it('is none where nothing is ours, or outside our cgroup namespace', () => {
    group('.', { controllers: 'memory', enabled: 'memory' });
    others('.');
    expect(cgroupPlaces(host('0::/\n'), ['memory'])).toEqual([]);
    expect(cgroupPlaces(host('0::/../elsewhere\n'), ['memory'])).toEqual([]);
    expect(cgroupPlaces(host(''), ['memory'])).toEqual([]);
    expect(planCgroup([], 'c', { cpu: { quota: 1000 } }, 42)).toMatchObject({
      directories: [],
      missing: ['cpu'],
    });
  });

  it('of v1 is one in each hierarchy that is wanted and ours', () => {
    for (const path of ['memory/mine', 'cpu,cpuacct/mine', 'pids', 'blkio/mine'])
      mkdirSync(join(root, path), { recursive: true });
    others('pids');
    const own = '4:pids:/\n3:memory:/mine\n2:cpu,cpuacct:/mine\n1:blkio:/mine\n';
    const places = cgroupPlaces(host(own), ['memory', 'cpu', 'pids']);
    const plan = planCgroup(places, 'c', { memory: { limit: 4096 }, pids: { limit: 5 } }, 42);
    expect(plan).toMatchObject({
      directories: [`${root}/memory/mine/c`, `${root}/cpu,cpuacct/mine/c`],
      missing: ['pids'],
      oomFile: `${root}/memory/mine/c/memory.oom_control`,
    });
  });

  const paths = (steps: Step[]): string[] =>
    steps.flatMap(({ op }) => {
      if (op.kind === 'remove-tree') return op.cgroups ? [`remove ${op.path.slice(root.length + 1)}`] : [];
      return op.kind === 'syscall' && typeof op.args[1] === 'string' && op.args[1].startsWith(root)
        ? [`${op.name} ${op.args[1].slice(root.length + 1)}`]
        : [];
    });
});
