import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ago, humanDuration, humanSize, localTime } from '../../src/cli/format/human.ts';
import { formatList } from '../../src/cli/format/list.ts';
import { outline } from '../../src/cli/format/outline.ts';
import { formatTable } from '../../src/cli/format/table.ts';
import { PS_HEADINGS, portsText, psRow, statusText } from '../../src/cli/ps-row.ts';
import type { ContainerView } from '../../src/engine/container-view.ts';

describe('durations', () => {
  const minute = 60;
  const hour = 60 * minute;
  const day = 24 * hour;
  it.each([
    [0, 'Less than a second'],
    [0.9, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [minute, 'About a minute'],
    [2 * minute, '2 minutes'],
    [59 * minute, '59 minutes'],
    [hour, 'About an hour'],
    [1.6 * hour, '2 hours'],
    [47 * hour, '47 hours'],
    [2 * day, '2 days'],
    [13 * day, '13 days'],
    [14 * day, '2 weeks'],
    [59 * day, '8 weeks'],
    [60 * day, '2 months'],
    [729 * day, '24 months'],
    [730 * day, '2 years'],
  ])('%d s: %s', (seconds, text) => {
    expect(humanDuration(seconds)).toBe(text);
  });

  it('are never negative, should the clock have been set back', () => {
    expect(ago('2026-01-01T00:00:10Z', Date.parse('2026-01-01T00:00:00Z'))).toBe('Less than a second ago');
  });
});

describe('sizes', () => {
  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1234, '1.23kB'],
    [999_499, '999kB'],
    [999_500, '1MB'],
    [146_000_000, '146MB'],
    [4_260_000, '4.26MB'],
    [1_240_000_000, '1.24GB'],
  ])('%d: %s', (bytes, text) => {
    expect(humanSize(bytes)).toBe(text);
  });
});

describe('local times', () => {
  const { TZ } = process.env;
  afterEach(() => {
    process.env.TZ = TZ ?? '';
  });

  it('name the zone', () => {
    process.env.TZ = 'UTC';
    expect(localTime('2026-01-02T15:04:05.678Z')).toBe('2026-01-02 15:04:05 +0000 UTC');
    process.env.TZ = 'America/St_Johns';
    expect(localTime('2026-01-02T15:04:05Z')).toMatch(/^2026-01-02 11:34:05 -0330 /);
    expect(localTime('never')).toBe('');
  });
});

describe('tables', () => {
  it('are as wide as docker makes them', () => {
    expect(
      formatTable([
        ['ID', 'NAME', 'LAST'],
        ['0123456789ab', 'x', 'y'],
      ]),
    ).toBe('ID             NAME      LAST\n0123456789ab   x         y\n');
  });

  it('show what a terminal would obey, instead of letting an image speak to it', () => {
    expect(formatTable([['\x1b[2J\tRUN\u009b1m\r\nx']])).toBe('\\x1b[2J RUN\\x9b1m\\x0d\\x0ax\n');
  });

  it('leave no blanks at the end of a line', () => {
    expect(
      formatTable([
        ['A', 'B'],
        ['a', ''],
      ]),
    ).toBe('A         B\na\n');
  });
});

describe('lists', () => {
  const rows = [
    { ID: '1', Names: 'a', Label: () => 'x' },
    { ID: '2', Names: 'b', Label: () => 'y' },
  ];
  const options = { columns: ['ID', 'Names'], headings: { ID: 'CONTAINER ID', Names: 'NAMES' } };

  it.each([
    [undefined, 'CONTAINER ID   NAMES\n1              a\n2              b\n'],
    ['table', 'CONTAINER ID   NAMES\n1              a\n2              b\n'],
    ['json', '{"ID":"1","Names":"a"}\n{"ID":"2","Names":"b"}\n'],
    ['{{.Names}}\\t{{.Label "k"}}', 'a\tx\nb\ty\n'],
    ['table {{.Names}}\\t{{.Label "zone"}}', 'NAMES     zone\na         x\nb         y\n'],
    // as podman's manual has it; docker would part no columns here
    ['table {{.ID}} {{.Names}}', 'CONTAINER ID   NAMES\n1              a\n2              b\n'],
  ])('%s', (format, text) => {
    expect(formatList(rows, { ...options, format })).toBe(text);
  });

  it('say which fields there are', () => {
    expect(() => formatList(rows, { ...options, format: '{{.Nmae}}' })).toThrow(
      /no \.Nmae; there are ID, Names, Label/,
    );
  });

  it('may have no headings', () => {
    expect(formatList(rows, { ...options, format: undefined, noHeading: true })).toBe(
      '1         a\n2         b\n',
    );
  });
});

describe('outlines', () => {
  it('read as YAML', () => {
    expect(
      outline({ a: 1, b: { c: 'text', d: [], e: ['x', { f: true, g: null }] }, h: '', i: 'a: b', j: {} }),
    ).toBe(
      [
        'a: 1',
        'b:',
        '  c: text',
        '  d: []',
        '  e:',
        '    - x',
        '    - f: true',
        '      g: null',
        'h: ""',
        'i: "a: b"',
        'j: {}',
        '',
      ].join('\n'),
    );
  });
});

describe('ps', () => {
  const now = Date.parse('2026-01-01T01:00:00Z');
  const view = (state: object, record: object = {}): ContainerView =>
    ({
      id: '0123456789abcdef',
      name: 'web',
      record: {
        image: 'docker.io/library/httpd:latest',
        command: ['httpd-foreground', '-X', '-DFOREGROUND'],
        createdAt: '2026-01-01T00:00:00.000Z',
        labels: { a: '1', b: '2' },
        mounts: [
          { type: 'volume', name: 'a-volume-with-a-long-name', source: '/x', destination: '/y', options: [] },
        ],
        ports: [],
        imageId: `sha256:${'0123456789abcdef'.repeat(4)}`,
        autoRemove: true,
        ...record,
      },
      state: { startedAt: '2026-01-01T00:55:00Z', finishedAt: undefined, exit: undefined, ...state },
    }) as unknown as ContainerView;
  const { TZ } = process.env;
  beforeEach(() => {
    process.env.TZ = 'UTC';
  });
  afterEach(() => {
    process.env.TZ = TZ ?? '';
  });

  it.each([
    [{ phase: 'created', startedAt: undefined }, 'Created'],
    [{ phase: 'running' }, 'Up 5 minutes'],
    [{ phase: 'paused' }, 'Up 5 minutes (Paused)'],
    [{ phase: 'stopping' }, 'Stopping after 5 minutes'],
    [
      { phase: 'exited', exit: { kind: 'exited', code: 3 }, finishedAt: '2026-01-01T00:58:00Z' },
      'Exited (3) 2 minutes ago',
    ],
    [
      { phase: 'exited', exit: { kind: 'signaled', signal: 9 }, finishedAt: '2026-01-01T00:59:30Z' },
      'Exited (137) 30 seconds ago',
    ],
    [{ phase: 'exited', exit: { kind: 'unknown' } }, 'Exited (unknown)'],
  ])('%j', (state, text) => {
    expect(statusText(view(state), now)).toBe(text);
  });

  it('shows ports as docker does, ranges together', () => {
    const port = (hostIp: string, hostPort: number, containerPort: number, protocol = 'tcp') =>
      ({ hostIp, hostPort, containerPort, protocol }) as never;
    expect(portsText([port('', 8000, 80)])).toBe('0.0.0.0:8000->80/tcp');
    expect(
      portsText([
        port('::1', 53, 53, 'udp'),
        port('127.0.0.1', 9001, 91),
        port('127.0.0.1', 9000, 90),
        port('127.0.0.1', 9005, 92),
      ]),
    ).toBe('[::1]:53->53/udp, 127.0.0.1:9000-9001->90-91/tcp, 127.0.0.1:9005->92/tcp');
  });

  it('has docker’s fields', () => {
    const row = psRow(view({ phase: 'running' }), { noTrunc: false, now });
    expect(row).toMatchObject({
      ID: '0123456789ab',
      Image: 'docker.io/library/httpd:latest',
      Command: '"httpd-foreground -X…"',
      CreatedAt: '2026-01-01 00:00:00 +0000 UTC',
      RunningFor: 'About an hour ago',
      State: 'running',
      Status: 'Up 5 minutes',
      Ports: '',
      Names: 'web',
      Labels: 'a=1,b=2',
      Label: expect.any(Function),
      Mounts: 'a-volume-with-…',
      LocalVolumes: 1,
      Networks: 'private',
      ImageID: '0123456789ab',
      AutoRemove: true,
      CIDFile: '',
      ExposedPorts: {},
    });
    const exposing = { expose: ['53/tcp', '53/udp', '80/tcp'], cidfile: '/run/web.cid' };
    expect(psRow(view({ phase: 'running' }, exposing), { noTrunc: false, now })).toMatchObject({
      CIDFile: '/run/web.cid',
      ExposedPorts: { '53': ['tcp', 'udp'], '80': ['tcp'] },
    });
    expect(Object.keys(PS_HEADINGS)).toEqual(
      expect.arrayContaining(Object.keys(row).filter((name) => name !== 'Label')),
    );
    const whole = psRow(view({ phase: 'running' }), { noTrunc: true, now, size: '2B' });
    expect(whole).toMatchObject({
      ID: '0123456789abcdef',
      Command: '"httpd-foreground -X -DFOREGROUND"',
      Size: '2B',
    });
  });
});
