import { describe, expect, it } from 'vitest';
import { eventFilter } from '../../src/cli/event-filter.ts';
import { eventJson, eventRow, eventText } from '../../src/cli/event-row.ts';
import { parseMoment } from '../../src/cli/parse/time.ts';
import { parseEvent, type StoredEvent } from '../../src/store/event-log.ts';

const died: StoredEvent = {
  time: '2026-01-02T15:04:05.123456789Z',
  status: 'died',
  exitCode: 137,
  type: 'container',
  id: 'ab'.repeat(32),
  name: 'web',
  image: 'docker.io/library/httpd:latest',
  attributes: { role: 'front' },
};
const pulled: StoredEvent = {
  time: '2026-01-02T15:04:05.000001000Z',
  status: 'pull',
  type: 'image',
  id: 'cd'.repeat(32),
  name: 'docker.io/library/httpd:latest',
};

describe('lines of the log', () => {
  it.each(['', '{"time":"2026', '\0\0\0', '[]', '{"time":1,"status":"x","type":"container"}'])(
    '%j is none',
    (line) => {
      expect(parseEvent(line)).toBeUndefined();
    },
  );
  it('what a crash left before one is passed over', () => {
    expect(parseEvent(`{"time":"2026-01-0${JSON.stringify(died)}`)).toEqual(died);
    expect(parseEvent(`\0\0${JSON.stringify(died)}`)).toEqual(died);
  });
});

describe('an event', () => {
  it('as podman’s JSON, with all digits of its time', () => {
    const text = eventJson(died);
    expect(text).toContain('"time":1767366245,"timeNano":1767366245123456789,"Type"');
    expect(JSON.parse(text)).toMatchObject({
      ContainerExitCode: 137,
      ID: died.id,
      Attributes: { role: 'front' },
    });
    expect(JSON.parse(eventJson(pulled))).toMatchObject({ Attributes: null });
  });
  it('as podman’s line', () => {
    const id = died.id;
    expect(eventText(died)).toBe(
      `2026-01-02 15:04:05.123456789 +0000 UTC container died ${id} (image=docker.io/library/httpd:latest, name=web, role=front)`,
    );
    expect(eventText(pulled, false)).toBe(
      `2026-01-02 15:04:05.000001000 +0000 UTC image pull cdcdcdcdcdcd docker.io/library/httpd:latest`,
    );
  });
  it('has docker’s fields for templates', () => {
    expect(eventRow(died)).toMatchObject({
      Action: 'die',
      Actor: { ID: died.id, Attributes: { exitCode: '137', name: 'web', role: 'front' } },
    });
    expect(eventRow({ ...died, status: 'health_status', health: 'unhealthy' }).Action).toBe(
      'health_status: unhealthy',
    );
  });
});

describe('filters', () => {
  const matches = (event: StoredEvent, ...filters: Parameters<typeof eventFilter>[0]) =>
    eventFilter(filters)(event);
  it('of one key are alternatives, labels must all hold', () => {
    expect(matches(died, { key: 'event', value: 'start' }, { key: 'event', value: 'died' })).toBe(true);
    expect(matches(died, { key: 'label', value: 'role' }, { key: 'label', value: 'other' })).toBe(false);
  });
  it.each([
    ['event', 'die', true],
    ['container', 'web', true],
    ['container', 'abab', true],
    ['container', 'we', false],
    ['image', 'httpd', true],
    ['image', 'busybox', false],
    ['type', 'image', false],
    ['volume', 'web', false],
  ] as const)('%s=%s: %s', (key, value, expected) => {
    expect(matches(died, { key, value })).toBe(expected);
  });
  it('know no other type', () => {
    expect(() => eventFilter([{ key: 'type', value: 'pod' }])).toThrow(/not one of container, image/);
  });
});

it('--until looks ahead where --since looks back', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(parseMoment('10s', '--until', now, 'ahead')).toBe('2026-01-01T00:00:10.000Z');
  expect(parseMoment('10s', '--since', now)).toBe('2025-12-31T23:59:50.000Z');
});
