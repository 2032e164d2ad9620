/**
 * `--format sh`: the script and the programs of one plan are both run, by an ordinary user, and must make the same container, as far as
 * its processes can see.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../../src/explain/plan.ts';
import { printShell } from '../../src/explain/print-shell.ts';
import { hostPathKind } from '../../src/launch/masks.ts';
import { removeTreeInside } from '../../src/rootless/enter.ts';
import { rootlessMaps } from '../../src/rootless/subordinate-ids.ts';
import type { RuntimeConfig } from '../../src/spec/runtime.ts';
import { exampleConfig, examplePlan, exampleStart } from '../support/example-plan.ts';
import { runPlan } from '../support/run-plan.ts';

const APPLETS = [
  'sh',
  'awk',
  'cat',
  'env',
  'grep',
  'hostname',
  'id',
  'ls',
  'sed',
  'sleep',
  'sort',
  'touch',
  'tr',
  'wc',
];
const isRoot = process.getuid?.() === 0;
const missing = ['busybox', 'bash', 'setpriv', 'findmnt', 'ip'].filter(
  (command) => spawnSync('sh', ['-c', `PATH=$PATH:/sbin:/usr/sbin command -v ${command}`]).status !== 0,
);
const maps = rootlessMaps();

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrun-script-'));
  for (const name of ['layer/bin', 'layer/etc', 'layer/srv/www', 'upper', 'work', 'rootfs', 'tmp'])
    mkdirSync(join(directory, name), { recursive: true });
  const busybox = spawnSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).stdout.trim();
  copyFileSync(busybox, join(directory, 'layer/bin/busybox'));
  for (const name of APPLETS) symlinkSync('busybox', join(directory, 'layer/bin', name));
  writeFileSync(join(directory, 'layer/etc/hosts'), 'of the image\n');
  writeFileSync(join(directory, 'hosts'), 'generated\n');
});

afterEach(() => {
  removeTreeInside({ maps, holder: undefined }, [directory]);
});

/** A plan with real paths, whose command is `script`. */
function realPlan(script: string, change: (config: RuntimeConfig) => void = () => undefined): Plan {
  const plan = examplePlan();
  const config = exampleConfig({}, maps.single);
  const paths = {
    lowers: [join(directory, 'layer')],
    upper: join(directory, 'upper'),
    work: join(directory, 'work'),
    mountpoint: join(directory, 'rootfs'),
  };
  config.root.path = paths.mountpoint;
  config.process.args = ['sh', '-c', script];
  delete config.linux.seccomp; // the script has none
  for (const mount of config.mounts) {
    if (mount.destination === '/etc/hosts') mount.source = join(directory, 'hosts');
  }
  change(config);
  const program = exampleStart(config, !maps.single, paths, hostPathKind);
  return {
    ...plan,
    idMaps: maps,
    config,
    rootfs: { ...plan.rootfs, paths },
    files: { '/etc/hosts': 'generated\n' },
    programs: [{ title: 'supervisor → container', program }],
  };
}

interface Ended {
  status: number | null;
  output: string;
}

async function runScript(plan: Plan): Promise<Ended> {
  const file = join(directory, 'container.sh');
  writeFileSync(file, printShell(plan));
  const env = { PATH: process.env.PATH, TMPDIR: join(directory, 'tmp') };
  const child = spawn('bash', [file], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, errors, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, output: output + errors };
}

async function runPrograms(plan: Plan): Promise<Ended> {
  const program = plan.programs[0]?.program;
  if (!program) throw new Error('a plan without a program');
  const { output, status } = await runPlan({ maps, holder: undefined }, program, join(directory, 'records'));
  return { status: status?.kind === 'exited' ? status.code : null, output };
}

/** Everything that a process of the container can tell about it; sorted, without numbers that are new each time. */
const LOOK = `
exec 2>&1
echo "hostname: $(hostname)"; echo "user: $(id -u):$(id -g)"; echo "umask: $(umask)"; echo "directory: $(pwd)"
sed 's/  */ /g; s/^/uid_map:/' /proc/self/uid_map; sed 's/  */ /g; s/^/gid_map:/' /proc/self/gid_map
grep -E '^(Cap|Groups|NoNewPrivs)' /proc/1/status
echo "process 1: $(tr '\\0' ' ' </proc/1/cmdline | sed 's/ -c .*//')"
set -- /proc/[0-9]*; echo "processes: $#"
awk '{ n = 7; while ($n != "-") n++; print "mount: " $5, $(n + 1), $6 }' /proc/self/mountinfo | sort
ls -l /dev | awk 'NR > 1 { print "dev: " $1, $NF }' | sort
ls -ln /proc/self/fd | grep -c -E ' [012] ->' | sed 's/^/streams: /'
ls /proc/self/fd | wc -l | sed 's/^/descriptors: /'
wc -c </proc/kcore 2>&1 | sed 's/^/kcore: /'; ls /sys/firmware | wc -l | sed 's/^/firmware: /'
touch /proc/sys/kernel/hostname 2>&1; echo x 2>&1 >/proc/sys/kernel/hostname | sed 's/^.*: /sysctl: /'
cat /proc/sys/net/ipv4/ping_group_range /etc/hosts /proc/net/dev | grep -v -E '^(Inter| face)' | sed 's/:.*//'
env | grep -v -E '^(PWD|SHLVL|_|OLDPWD)=' | sort
touch /new && ls -ln /new | awk '{ print "new file: " $1, $3, $4 }'
`;

/** ro and rw of the mount, and its flags, but not the access times: util-linux and fsmount(2) differ in their default. */
const normal = (output: string): string =>
  output
    .split('\n')
    .map((line) => (line.startsWith('mount: ') ? line.replaceAll(/,(relatime|noatime)/g, '') : line))
    .join('\n');

describe.skipIf(isRoot || missing.length > 0)('the plan as a script', () => {
  it('makes the container that the programs make', async () => {
    const plan = realPlan(LOOK);
    const byHand = await runScript(plan);
    const byProgram = await runPrograms(plan);
    expect(byHand.output).toContain('hostname: web');
    expect(byHand.output).toContain('CapEff:\t00000000800405fb');
    expect(byHand.output).toContain('generated');
    expect(normal(byHand.output)).toBe(normal(byProgram.output));
    expect([byHand.status, byProgram.status]).toEqual([0, 0]);
  });

  it('does so for a user who is not root, with a read-only root, without new privileges', async () => {
    const plan = realPlan(LOOK, (config) => {
      config.root.readonly = true;
      config.process.noNewPrivileges = true;
      config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }];
      const sets = config.process.capabilities;
      if (maps.single || !sets) return; // there is no user but root
      config.process.user = { uid: 33, gid: 33, umask: 0o027, additionalGids: [50] };
      config.process.capabilities = { ...sets, effective: [], permitted: [], inheritable: [], ambient: [] };
    });
    const byHand = await runScript(plan);
    const byProgram = await runPrograms(plan);
    expect(byHand.output).toContain('NoNewPrivs:\t1');
    expect(byHand.output).toMatch(/mount: \/ overlay ro/);
    expect(normal(byHand.output)).toBe(normal(byProgram.output));
  });

  it('passes the exit status on and leaves nothing behind', async () => {
    const { status } = await runScript(realPlan('exit 42'));
    expect(status).toBe(42);
    expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
  });

  it('quotes what a shell would expand', async () => {
    const odd = `a 'b' "c" $d \`e\` \\f * \n!`;
    const plan = realPlan('', (config) => {
      config.process.args = ['sh', '-c', 'printf "%s" "$1"; printf "|%s" "$ODD"', 'sh', odd];
      config.process.env.push(`ODD=${odd}`);
      config.hostname = 'web';
    });
    const { output } = await runScript({
      ...plan,
      commandLine: ['tsrun', 'run', odd],
      files: { '/etc/hosts': odd },
    });
    expect(output).toBe(`${odd}|${odd}`);
  });

  it('ends with an error, and cleans up, when a mount fails', async () => {
    const plan = realPlan('echo never', (config) => {
      config.mounts.push({
        destination: '/x',
        type: 'bind',
        source: '/no/such/directory',
        options: ['bind'],
      });
    });
    const { status, output } = await runScript(plan);
    expect(status).not.toBe(0);
    expect(output).toContain('/no/such/directory');
    expect(output).not.toContain('never');
    expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
  });

  it.runIf(existsSync('/usr/bin/pasta'))('ends with an error when its port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    const address = server.address();
    const hostPort = typeof address === 'object' && address ? address.port : 0;
    const ports = [{ hostIp: '', hostPort, containerPort: 80, protocol: 'tcp' as const }];
    const { status, output } = await runScript({
      ...realPlan('echo never'),
      network: { driver: 'pasta', why: 'asked for', ports },
    });
    server.close();
    expect(status).not.toBe(0);
    expect(output).toContain(String(hostPort));
    expect(output).not.toContain('never');
    expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
  });
});

describe.skipIf(isRoot || missing.length > 0)('the trace of a whole start', () => {
  it('has every step of the plan that is executed, of every process, with its number', async () => {
    const plan = realPlan('exit 0');
    const program = plan.programs[0]?.program;
    if (!program) throw new Error('a plan without a program');
    const { status, events } = await runPlan(
      { maps, holder: undefined },
      program,
      join(directory, 'records'),
    );
    expect(status).toEqual({ kind: 'exited', code: 0 });
    expect(events.user.filter(({ isFailure }) => isFailure)).toEqual([]);
    const container = events.supervisor.filter(({ step }) => step.actor === 'container');
    // The container closes every descriptor before it drops its privileges, that of the trace too.
    const planned = program.steps.flatMap((step) => (step.op.kind === 'clone' ? step.op.child : []));
    const closes = planned.findIndex(({ op }) => op.kind === 'syscall' && op.name === 'close_range');
    expect(closes).toBeGreaterThan(100);
    const seen = new Set(container.map(({ step }) => step));
    expect(planned.slice(0, closes).filter((step) => !seen.has(step))).toEqual([]);
    expect(container.map(({ number }) => number)).toEqual(
      [...container.map(({ number }) => number)].sort((a, b) => a - b),
    );
    expect(new Set(container.map(({ pid }) => pid))).toEqual(new Set([1]));
    expect(new Set(events.user.map(({ step }) => step.actor))).toEqual(new Set(['user', 'rootless']));
  });
});
