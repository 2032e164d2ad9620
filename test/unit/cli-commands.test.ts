import { describe, expect, it } from 'vitest';
import { attachedStreams } from '../../src/cli/commands/run.ts';
import { COMMANDS, GROUPED } from '../../src/cli/commands.ts';
import { commandHelp, groupHelp, overview } from '../../src/cli/help.ts';
import { createRequest, RUN_OPTIONS } from '../../src/cli/options/create-options.ts';
import { GLOBAL_OPTIONS } from '../../src/cli/options/global-options.ts';
import type { OptionTable } from '../../src/cli/options/option.ts';
import { UNSUPPORTED_CREATE_OPTIONS } from '../../src/cli/options/unsupported.ts';
import { parseWords } from '../../src/cli/parse/words.ts';

const OWN = { kind: 'own', word: 'private' } as const;

const NAMES = Object.keys(COMMANDS);

function namesOf(table: OptionTable): string[] {
  return Object.entries(table).flatMap(([name, { short, aliases = [] }]) => [
    name,
    ...(short === undefined ? [] : [short]),
    ...aliases,
  ]);
}

describe.each(NAMES)('tsrun %s', (name) => {
  const load = () => COMMANDS[name]!.load();

  it('has options whose names are its own', async () => {
    const names = namesOf((await load()).options);
    expect(new Set(names).size).toBe(names.length);
    for (const reserved of ['help', 'debug']) expect(names).not.toContain(reserved);
    expect(names.filter((each) => !/^[a-zA-Z]$|^[a-z][a-z-]+6?$/.test(each))).toEqual([]);
  });

  it('does not refuse what it supports', async () => {
    const { options, unsupported = {} } = await load();
    expect(namesOf(options).filter((each) => Object.hasOwn(unsupported, each))).toEqual([]);
  });

  it('describes itself and each option, in lines that fit', async () => {
    const command = await load();
    const help = commandHelp(name, command, 80);
    expect(
      help
        .split('\n')
        .filter((line) => line.length > 80 && !line.startsWith('  tsrun') && !line.startsWith('  echo')),
    ).toEqual([]);
    for (const [option, { text }] of Object.entries(command.options)) {
      expect(help).toContain(`--${option}`);
      expect(text).toMatch(/^\S.*[^.\s]$/);
    }
    expect(command.text).toMatch(/[.:]$/);
    expect(COMMANDS[name]!.summary).toMatch(/^[A-Z].*[^.]$/);
  });

  it('has examples that it would take', async () => {
    const command = await load();
    for (const example of command.examples ?? []) {
      const words =
        example
          .replace(/^.*\| (?=tsrun)/, '')
          .replace(/ [<>|] .*$/, '')
          .match(/'[^']*'|\S+/g)
          ?.map((word) => word.replaceAll("'", '')) ?? [];
      expect(`${words.join(' ')} `).toContain(`tsrun ${name} `);
      const { operands } = await parseWords(command.options, words.slice(1 + name.split(' ').length), {
        command: 'tsrun',
        optionsEndAtOperand: command.optionsEndAtOperand ?? false,
      });
      expect(operands.length).toBeGreaterThanOrEqual(command.operands[0]);
      expect(operands.length).toBeLessThanOrEqual(command.operands[1]);
    }
  });
});

describe('options that would have no effect are refused before anything is done', () => {
  it.each([
    ['explain run --preserve-fds 1 busybox', /--preserve-fds has no effect: explain makes and starts/],
    ['explain run --trace busybox', /--trace has no effect/],
    ['explain run --cidfile web.cid busybox', /--cidfile has no effect/],
    ['explain create --cidfile web.cid busybox', /--cidfile has no effect/],
    ['explain create --pidfile web.pid busybox', /--pidfile has no effect/],
    ['explain create --conmon-pidfile web.pid busybox', /--conmon-pidfile has no effect/],
    ['explain create --preserve-fds 1 busybox', /create does not support --preserve-fds/],
    ['explain create -d busybox', /-d/],
    ['rm --time 10 web', /how long --force waits/],
    ['exec --cidfile /proc/self/comm --cidfile /proc/self/comm true', /--cidfile is given several times/],
    ['generate systemd --restart-service --time 0', /--time is of the unit of a container/],
    ['generate systemd --restart-service --separator x', /--separator is of/],
    ['copy --all --multi-arch system docker://a dir:b', /contradict each other/],
    ['copy --all --platform linux/arm64 docker://a dir:b', /contradict each other/],
    ['pull --platform linux/arm64 --arch arm64 busybox', /--platform and --os, --arch, --variant contradict/],
    ['inspect --raw --type container docker://a', /--raw is of images/],
    ['inspect --config --latest', /--config is of images/],
    ['inspect --raw --size docker://a', /without --format and --size/],
    ['inspect --platform linux/arm64 busybox', /of an image elsewhere/],
    ['inspect --latest --platform linux/arm64', /of an image elsewhere/],
    ['update --no-healthcheck --health-cmd true web', /--no-healthcheck and --health-cmd contradict/],
    ['update --no-healthcheck --health-start-period 0 web', /--no-healthcheck and --health-start-period/],
    ['create --no-healthcheck --health-retries 2 busybox', /--no-healthcheck and --health-retries/],
  ])('%s', async (line, problem) => {
    const words = line.split(' ');
    const name = words.slice(0, line.startsWith('generate') ? 2 : 1).join(' ');
    const command = await COMMANDS[name]!.load();
    const rules = { command: name, optionsEndAtOperand: command.optionsEndAtOperand ?? false };
    const { values, operands } = await parseWords(
      command.options,
      words.slice(name.split(' ').length),
      rules,
    );
    const context = {
      debug: false,
      storeRoot: () => '/nowhere',
      engine: async () => {
        throw new Error('it was not refused');
      },
    };
    await expect(command.run(values, operands, context)).rejects.toThrow(problem);
  });
});

it('`wait` looks at most a thousand times a second: with --interval 0 it would never pause', async () => {
  const { options } = await COMMANDS.wait!.load();
  const rules = { command: 'tsrun wait', optionsEndAtOperand: false };
  for (const interval of ['0', '0s', '999us'])
    await expect(parseWords(options, ['--interval', interval], rules)).rejects.toThrow(/1ms or more/);
  expect((await parseWords(options, ['--interval', '1'], rules)).values).toMatchObject({ interval: 1 });
});

describe('the overview', () => {
  it('names every command and global option', () => {
    const text = overview(80);
    for (const name of [...NAMES, ...Object.keys(GLOBAL_OPTIONS).map((option) => `--${option}`)])
      expect(text).toContain(name);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('is there for each group, too: `tsrun image --help` was an error', () => {
    for (const [group, words] of Object.entries(GROUPED)) {
      const text = groupHelp(group, words, 80);
      const own = NAMES.flatMap((name) =>
        name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : [],
      );
      for (const verb of [...own, ...Object.keys(words)])
        expect(text).toMatch(new RegExp(`^  ${verb}  +[A-Z]`, 'm'));
    }
  });

  it('has the commands that grouped words stand for', () => {
    for (const group of Object.values(GROUPED)) {
      for (const words of Object.values(group))
        expect([words, words.split(' ')[0]].some((name) => NAMES.includes(name ?? ''))).toBe(true);
    }
  });
});

describe('tsrun run', () => {
  const request = async (line: string) => {
    const words = line.split(' ');
    const rules = {
      command: 'tsrun run',
      optionsEndAtOperand: true,
      unsupported: UNSUPPORTED_CREATE_OPTIONS,
    };
    const { values, operands } = await parseWords(RUN_OPTIONS, words, rules);
    return createRequest(values, operands[0] ?? '', operands.slice(1));
  };

  it('asks for nothing that was not said', async () => {
    expect(await request('busybox')).toEqual({
      image: 'busybox',
      command: [],
      access: {},
      strictNames: false,
      health: { none: false },
      log: { driver: 'k8s-file' },
      name: undefined,
      interactive: false,
      tty: false,
      detach: false,
      remove: false,
      init: false,
      readOnly: false,
      entrypoint: undefined,
      env: [],
      workdir: undefined,
      user: undefined,
      hostname: undefined,
      network: undefined,
      endpoint: { aliases: [] },
      publish: [],
      publishAll: false,
      mounts: [],
      volumesFrom: [],
      labels: {},
      pull: 'missing',
      platform: undefined,
      capAdd: [],
      capDrop: [],
      securityOpt: [],
      privileged: false,
      ulimits: [],
      addHosts: [],
      dns: [],
      dnsSearch: [],
      dnsOption: [],
      noHosts: false,
      noResolvConf: false,
      noHostname: false,
      stopSignal: undefined,
      stopTimeout: undefined,
      shmSize: undefined,
      storageDriver: undefined,
      cidfile: undefined,
      quiet: false,
      groupAdd: [],
      userns: { kind: 'host' },
      uidmap: [],
      gidmap: [],
      annotations: {},
      sysctls: {},
      devices: [],
      expose: [],
      namespaces: { pid: OWN, ipc: OWN, uts: OWN, cgroup: OWN },
      domainname: undefined,
      umask: undefined,
      envHost: false,
      httpProxy: false,
      unsetEnv: [],
      imageVolume: 'anonymous',
      readOnlyTmpfs: true,
      resources: {},
      replace: false,
    });
  });

  it.each<[string, object]>([
    ['-dit --rm --name web x', { detach: true, interactive: true, tty: true, remove: true, name: 'web' }],
    [
      '-p 8000:80 -p 127.0.0.1:53:53/udp -P x',
      {
        publish: [
          { hostIp: '', hostPort: 8000, containerPort: 80, protocol: 'tcp' },
          { hostIp: '127.0.0.1', hostPort: 53, containerPort: 53, protocol: 'udp' },
        ],
        publishAll: true,
      },
    ],
    [
      '-v data:/data:ro --tmpfs /tmp --mount type=volume,target=/m x',
      {
        mounts: [
          { type: 'volume', source: 'data', destination: '/data', options: ['ro'] },
          { type: 'volume', source: undefined, destination: '/m', options: [] },
          { type: 'tmpfs', source: undefined, destination: '/tmp', options: [] },
        ],
      },
    ],
    ['-e A=1 -e B=2 -l a=1 -l b x', { env: ['A=1', 'B=2'], labels: { a: '1', b: '' } }],
    [
      '-w /src -u 1000:1000 -h web --entrypoint /bin/sh x -c true',
      {
        workdir: '/src',
        user: '1000:1000',
        hostname: 'web',
        entrypoint: ['/bin/sh'],
        command: ['-c', 'true'],
      },
    ],
    [
      '--cap-add NET_RAW,SYS_TIME --cap-drop ALL --security-opt no-new-privileges --privileged x',
      {
        capAdd: ['NET_RAW', 'SYS_TIME'],
        capDrop: ['ALL'],
        securityOpt: ['no-new-privileges'],
        privileged: true,
      },
    ],
    [
      '--dns 9.9.9.9 --dns ::1 --dns-search a,b --dns-option ndots:2 --add-host a:1.2.3.4 x',
      {
        dns: ['9.9.9.9', '::1'],
        dnsSearch: ['a', 'b'],
        dnsOption: ['ndots:2'],
        addHosts: ['a:1.2.3.4'],
        noHosts: false,
      },
    ],
    ['--dns none x', { dns: [], noResolvConf: true }],
    [
      '--shm-size 1g --stop-signal INT --stop-timeout -1 --ulimit nofile=1:2 --group-add audio,7 x',
      {
        shmSize: 1 << 30,
        stopSignal: 'INT',
        stopTimeout: -1,
        ulimits: ['nofile=1:2'],
        groupAdd: ['audio', '7'],
      },
    ],
    [
      '--pull never --platform arm64 --network none --userns host --read-only --init -q --cidfile /c x',
      {
        pull: 'never',
        platform: 'linux/arm64',
        network: 'none',
        userns: { kind: 'host' },
        readOnly: true,
        init: true,
        quiet: true,
        cidfile: '/c',
      },
    ],
  ])('%s', async (line, expected) => {
    expect(await request(line)).toMatchObject({ image: 'x', ...expected });
  });

  it.each([
    '--network bridge:x x',
    '--pull sometimes x',
    '--stop-signal NOPE x',
    '--ulimit files=1 x',
    '--platform a/b/c/d x',
    '--cap-add NOPE x',
    '-p 99999:80 x',
    '--blkio-weight 100 x',
    '--rm --restart always x',
    // The host that was added was lost without a word.
    '--no-hosts --add-host a:1.2.3.4 x',
    '--dns none --dns 9.9.9.9 x',
    '--dns none --dns-search a x',
    '--dns-search= x',
  ])('refuses %s', async (line) => {
    await expect(request(line)).rejects.toMatchObject({ code: 'ERR_TSRUN_USAGE', exitCode: 125 });
  });

  it('attaches what was asked for', () => {
    const streams = { attach: [], detach: false, interactive: false };
    expect(attachedStreams(streams)).toEqual({ stdin: false, stdout: true, stderr: true });
    expect(attachedStreams({ ...streams, interactive: true })).toEqual({
      stdin: true,
      stdout: true,
      stderr: true,
    });
    expect(attachedStreams({ ...streams, interactive: true, attach: ['stdout'] })).toEqual({
      stdin: false,
      stdout: true,
      stderr: false,
    });
    expect(attachedStreams({ ...streams, detach: true })).toEqual({
      stdin: false,
      stdout: false,
      stderr: false,
    });
    expect(() => attachedStreams({ ...streams, detach: true, attach: ['stdin'] })).toThrow(/contradict/);
  });
});
