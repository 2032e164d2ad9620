import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { restartUnit, systemdUnit, unitWord } from '../../src/cli/systemd-unit.ts';

const REQUEST = {
  container: 'web',
  description: 'tsrun container-web.service',
  tsrun: ['/bin/true', '--root', '/var/tmp/with space & 100%'],
  storeRoot: '/var/tmp/with space & 100%',
  restartPolicy: 'on-failure',
  stopTimeout: 10,
  stopSignal: 15,
  sdnotify: undefined,
  after: [],
  wants: [],
  requires: [],
  restartSeconds: undefined,
  startSeconds: undefined,
  header: true,
};

describe('a systemd unit', () => {
  it('has the container’s supervisor as its main process, so that the end of one is the other’s', () => {
    const text = systemdUnit(REQUEST);
    expect(text).toContain(
      '\nExecStart=/bin/true --root "/var/tmp/with space & 100%%" start --sdnotify conmon web\n' +
        'ExecStop=/bin/true --root "/var/tmp/with space & 100%%" stop --time 10 web\n' +
        'Restart=on-failure\n',
    );
    expect(text).toContain('\nType=notify\n');
    expect(text).toContain('\nNotifyAccess=all\n');
    expect(text).toContain('\nSuccessExitStatus=143\n');
    expect(text).toContain('\nTimeoutStopSec=30\n');
    expect(systemdUnit({ ...REQUEST, stopTimeout: -1 })).toContain('\nTimeoutStopSec=infinity\n');
  });

  it('says what it comes after, wants and requires, and how long it may take', () => {
    const text = systemdUnit({
      ...REQUEST,
      after: ['a.service', 'b.service'],
      wants: ['b.service'],
      requires: ['a.service'],
      restartSeconds: 0,
      startSeconds: 7,
      header: false,
    });
    expect(text).toMatch(/^\[Unit\]/);
    expect(text).toContain('\nAfter=network-online.target a.service b.service\n');
    expect(text).toContain('\nWants=network-online.target b.service\n');
    expect(text).toContain('\nRequires=a.service\n');
    expect(text).toContain('\nRestart=on-failure\nRestartSec=0\n');
    expect(text).toContain('\nTimeoutStartSec=7\n');
    expect(systemdUnit(REQUEST)).toMatch(/^# Made by tsrun generate systemd/);
    expect(systemdUnit(REQUEST)).not.toMatch(/RestartSec=|Requires=/);
  });

  it('leaves it to the container, or its health check, to say that it is ready where it is made so', () => {
    for (const sdnotify of ['container', 'healthy', 'conmon'] as const) {
      expect(systemdUnit({ ...REQUEST, sdnotify })).toMatch(/^ExecStart=.* start web$/m);
    }
    // Else nobody would ever say so.
    expect(systemdUnit({ ...REQUEST, sdnotify: 'ignore' })).toMatch(
      /^ExecStart=.* start --sdnotify conmon web$/m,
    );
  });

  it('for all containers with a restart policy starts them in one go, and outlives one that does not start', () => {
    const root = '--root "/var/tmp/with space & 100%%"';
    const those = '--filter restart-policy=always --filter restart-policy=unless-stopped';
    const text = restartUnit(REQUEST);
    expect(text).toContain(`\nExecStart=-/bin/true ${root} start --all ${those}\n`);
    expect(text).toContain(`\nExecStop=-/bin/true ${root} stop --all ${those}\n`);
  });

  it('quotes what systemd takes for more than itself', () => {
    expect(['plain', 'a b', '$HOME', '100%', 'a"b\\'].map(unitWord)).toEqual([
      'plain',
      '"a b"',
      '$$HOME',
      '100%%',
      '"a\\"b\\\\"',
    ]);
  });

  it.runIf(spawnSync('systemd-analyze', ['--version']).status === 0)('is what systemd can read', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tsrun-unit-'));
    const file = join(directory, 'container-web.service');
    const verify = (text: string): string => {
      writeFileSync(file, text);
      const words = ['verify', '--user', '--man=no', '--generators=no', file];
      const env = { ...process.env, XDG_RUNTIME_DIR: directory, SYSTEMD_LOG_LEVEL: 'warning' };
      const { stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8', env });
      return `${stdout}${stderr}`
        .split('\n')
        .filter((line) => line.includes('container-web'))
        .join('\n');
    };
    try {
      expect(verify(systemdUnit(REQUEST))).toBe('');
      expect(verify(restartUnit(REQUEST))).toBe('');
      // The check can fail.
      expect(verify(systemdUnit({ ...REQUEST, restartPolicy: 'sometimes' }))).not.toBe('');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
