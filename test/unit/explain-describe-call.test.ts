import { describe, expect, it } from 'vitest';
import { describeCall, SlotNames } from '../../src/explain/describe-call.ts';
import { numberSteps } from '../../src/explain/numbered-steps.ts';
import type { HostNetwork } from '../../src/network/host-network.ts';
import { pastaDriver } from '../../src/network/pasta.ts';
import { slirpDriver } from '../../src/network/slirp4netns.ts';
import { DEFAULT_SLIRP_OPTIONS } from '../../src/network/slirp4netns-options.ts';
import { rootfsDriver } from '../../src/rootfs/drivers.ts';
import { call, close, op, pipe } from '../../src/sys/calls.ts';
import * as c from '../../src/sys/constants.ts';
import { type Argument, Slot, Slots, type Step } from '../../src/sys/step.ts';
import type { SyscallName } from '../../src/sys/syscall-numbers.ts';
import { exampleConfig, exampleExec, exampleLaunch, examplePlan } from '../support/example-plan.ts';

const say = (name: SyscallName, ...args: Argument[]): string => describeCall(call('user', '', name, args));
const long = (...values: (number | bigint)[]): Argument => ({
  fields: values.map((value) => ({ width: 8, value }) as const),
});

describe('a system call in words', () => {
  it('names flags in the order of their bits, and leaves no bit out', () => {
    expect(say('openat', c.AT_FDCWD, '/x', c.O_PATH | c.O_CLOEXEC, 0)).toBe(
      'openat(AT_FDCWD, "/x", O_CLOEXEC|O_PATH)',
    );
    expect(say('openat', c.AT_FDCWD, '/x', c.O_CREAT | 0x80000000, 0o600)).toBe(
      'openat(AT_FDCWD, "/x", O_CREAT|0x80000000, 0600)',
    );
    expect(say('umount2', '.', c.MNT_DETACH)).toBe('umount2(".", MNT_DETACH)');
    expect(say('close_range', 3, 0xffffffff, 0)).toBe('close_range(3, ~0, 0)');
    expect(say('setns', 7, c.CLONE_NEWNS | c.CLONE_NEWPID)).toBe('setns(7, CLONE_NEWNS|CLONE_NEWPID)');
  });

  it('tells the members of structs', () => {
    const how = long(c.O_PATH | c.O_CLOEXEC, 0, c.RESOLVE_IN_ROOT);
    expect(say('openat2', 5, 'etc', how, 24)).toBe(
      'openat2(5, "etc", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_IN_ROOT})',
    );
    const attributes = long(c.MOUNT_ATTR_RDONLY | c.MOUNT_ATTR_NOSUID, 0, c.MS_SLAVE, 0);
    expect(say('mount_setattr', 5, '', c.AT_EMPTY_PATH | c.AT_RECURSIVE, attributes, 32)).toBe(
      'mount_setattr(5, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID, propagation=MS_SLAVE})',
    );
  });

  it('tells capabilities of both halves', () => {
    const sets: Argument = {
      fields: [1, 1, 0, 1 << 8, 1 << 8, 0].map((value) => ({ width: 4, value }) as const),
    };
    expect(say('capset', { buffer: 8 }, sets)).toBe(
      'capset({effective=permitted=CAP_CHOWN|CAP_CHECKPOINT_RESTORE, inheritable=0})',
    );
  });

  it('knows what the second argument of each prctl is', () => {
    expect(say('prctl', c.PR_SET_PDEATHSIG, c.SIGKILL, 0, 0, 0)).toBe('prctl(PR_SET_PDEATHSIG, SIGKILL)');
    expect(say('prctl', c.PR_CAPBSET_DROP, 21, 0, 0, 0)).toBe('prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN)');
    expect(say('prctl', c.PR_CAP_AMBIENT, c.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)).toBe(
      'prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)',
    );
    expect(say('prctl', c.PR_CAP_AMBIENT, c.PR_CAP_AMBIENT_RAISE, 0, 0, 0)).toBe(
      'prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN)',
    );
  });

  it('knows limits, sockets, terminals and signals', () => {
    expect(say('prlimit64', 0, 7, { fields: [], say: '1024:4096' }, 0)).toBe(
      'prlimit64(0, RLIMIT_NOFILE, 1024:4096, NULL)',
    );
    expect(say('socket', c.AF_INET, c.SOCK_DGRAM | c.SOCK_CLOEXEC, 0)).toBe(
      'socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, 0)',
    );
    expect(say('ioctl', 3, c.TIOCGPTPEER, c.O_RDWR | c.O_NOCTTY)).toBe(
      'ioctl(3, TIOCGPTPEER, O_RDWR|O_NOCTTY)',
    );
    expect(say('kill', 1, 15)).toBe('kill(1, SIGTERM)');
    expect(say('fchown', 3, 1000, 0xffffffff)).toBe('fchown(3, 1000, -1)');
  });

  it('shows clone with what comes out of it', () => {
    const clone = op('user', '', {
      kind: 'clone',
      flags: c.CLONE_NEWUSER,
      exitSignal: c.SIGCHLD,
      pidfd: new Slot(1, 'pidfd'),
      child: [],
    });
    expect(describeCall({ ...clone, result: new Slot(0, 'pid') })).toBe(
      'clone3({flags=CLONE_PIDFD|CLONE_NEWUSER, exit_signal=SIGCHLD}, pidfd → $pidfd) = $pid',
    );
  });

  it('shows run-time values by name, also those that structs take in and give out', () => {
    const slots = new Slots();
    const [r, w] = [slots.new('r'), slots.new('w')];
    expect(describeCall(pipe('user', '', r, w, c.O_CLOEXEC))).toBe('pipe2([$r, $w], O_CLOEXEC)');
    const message: Argument = {
      fields: [{ pointer: { fields: [{ width: 4, from: r }] } }],
      say: 'SCM_RIGHTS',
    };
    expect(say('sendmsg', w, message, 0)).toBe('sendmsg($w, SCM_RIGHTS with $r, 0)');
    expect(say('chdir', { text: ['/proc/self/fd/', r] })).toBe('chdir("/proc/self/fd/$r")');
  });

  it('tells two values of one name apart, in all lines of a program', () => {
    const names = new SlotNames();
    const lines = [new Slot(0, 'fd'), new Slot(1, 'fd'), new Slot(0, 'fd')].map((slot) =>
      describeCall(close('user', '', slot), names),
    );
    expect(lines).toEqual(['close($fd)', 'close($fd#2)', 'close($fd)']);
  });

  it('cuts what is long: strings, argument lists, binaries', () => {
    expect(say('chdir', 'x'.repeat(5000)).length).toBeLessThan(300);
    const argv = { strings: Array.from({ length: 40 }, (_, i) => `${i}`) };
    expect(say('execve', '/x', argv, { strings: ['A=1', 'B=2'] })).toBe(
      'execve("/x", ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", … 30 more], [/* 2 vars */])',
    );
    expect(say('write', 3, new Uint8Array(70000), 70000)).toBe('write(3, <70000 bytes>, 70000)');
  });

  it('quotes so that no control character gets out', () => {
    expect(say('sethostname', 'a\n\x1b[31m"', 8)).toBe(String.raw`sethostname("a\n\u001b[31m\"", 8)`);
  });

  it('says what the ops that are no system calls do', () => {
    const slot = new Slot(0, 'got');
    const words = [
      op('user', '', { kind: 'expect', value: slot, equals: 1, errno: 'EPIPE' }),
      op('user', '', { kind: 'expect', value: slot, equals: 0, mask: 0xfn, errno: 'EIO' }),
      op('user', '', { kind: 'compare', buffer: { buffer: 8 }, equals: 'ok', errno: 'EIO' }),
      op('user', '', { kind: 'remove-tree', dir: c.AT_FDCWD, path: '/x' }),
      op('user', '', { kind: 'report', fd: 3 }),
    ].map((step) => describeCall(step));
    expect(words).toEqual([
      'expect $got == 1, else EPIPE',
      'expect $got & 0xf == 0, else EIO',
      'expect <8 bytes> == "ok", else EIO',
      'remove_tree(AT_FDCWD, "/x")',
      'report failures to 3',
    ]);
  });
});

/** Everything that tsrun executes in one way or another. */
function allSteps(): Step[] {
  const host: HostNetwork = {
    hasIpv4Route: true,
    hasIpv6Route: false,
    hasIpv6: true,
    subnets: [],
    ipv6Subnets: [],
    address: undefined,
    resolvConf: '',
    hosts: '',
    resolvConfPath: '/etc/resolv.conf',
    nameservers: [],
    openFiles: 4096,
  };
  const slots = new Slots();
  const ports = [{ hostIp: '', hostPort: 8000, containerPort: 80, protocol: 'tcp' as const }];
  const context = {
    slots,
    initPid: slots.new('init'),
    stderr: slots.new('stderr'),
    ports,
    directory: '/run/x',
  };
  const attach = [
    ...pastaDriver('/usr/bin/pasta', [], host).attach(context),
    ...slirpDriver('/usr/bin/slirp4netns', DEFAULT_SLIRP_OPTIONS, host).attach(context),
  ];
  const paths = { lowers: ['/l'], upper: '/u', work: '/w', mountpoint: '/m' };
  const rootfs = (['overlay', 'fuse-overlayfs', 'copy'] as const).flatMap((name) => {
    const { supervisor, container } = rootfsDriver(name).plan(slots, paths);
    return [...supervisor, ...container];
  });
  const user = { uid: 1000, gid: 1000, additionalGids: [10] };
  const limited = exampleConfig({ readOnly: true, privileged: false });
  limited.process.user = user;
  limited.process.noNewPrivileges = true;
  limited.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 20 }];
  limited.process.oomScoreAdj = 100;
  const programs = [
    ...examplePlan('default').programs,
    ...examplePlan('terminal').programs,
    ...examplePlan('single').programs,
  ].map(({ program }) => program);
  programs.push(exampleExec(limited), exampleExec(exampleConfig({ tty: true })));
  programs.push(exampleLaunch(examplePlan().idMaps, 30, [8]));
  programs.push({ steps: [...attach, ...rootfs], slots });
  return numberSteps(programs)
    .flat()
    .map(({ step }) => step);
}

describe('everything that tsrun executes', () => {
  const steps = allSteps();

  it('is described without a number where a name should be', () => {
    const unnamed = steps
      .map((step) => describeCall(step))
      .filter((text) => /0x[0-9a-f]|\|\d|undefined|\[object/.test(text.replaceAll(/"[^"]*"/g, '""')));
    expect(unnamed).toEqual([]);
    expect(steps.length).toBeGreaterThan(800);
  });

  it('says why, in one line each', () => {
    const bad = steps.filter(({ why }) => why === '' || why.includes('\n') || why.length > 200);
    expect(bad.map((step) => describeCall(step))).toEqual([]);
  });
});
