import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseEntrypoint } from '../../src/cli/parse/entrypoint.ts';
import { environmentEntries, readEnvironmentFile } from '../../src/cli/parse/environment.ts';
import { labelMatches, matchesFilters, parseFilter } from '../../src/cli/parse/filter.ts';
import { parseLabel, readLabelFile } from '../../src/cli/parse/labels.ts';
import { parseNamespaceMode } from '../../src/cli/parse/namespace-mode.ts';
import { matchesReference } from '../../src/cli/parse/reference-pattern.ts';
import { parseRootfs } from '../../src/cli/parse/rootfs.ts';
import {
  addresses,
  checkAddHost,
  checkNetwork,
  parseCapabilities,
  parseHostname,
} from '../../src/cli/parse/scalars.ts';
import { parseSize } from '../../src/cli/parse/size.ts';
import { parseDuration, parseMoment } from '../../src/cli/parse/time.ts';
import { oneOf, wholeNumber } from '../../src/cli/parse/words-of-choice.ts';

const here = mkdtempSync(join(tmpdir(), 'tsrun-cli-'));
afterAll(() => rmSync(here, { recursive: true }));
const file = (text: string | Uint8Array): string => {
  const path = join(here, 'file');
  writeFileSync(path, text);
  return path;
};

const usage = (problem: string | RegExp) =>
  expect.objectContaining({ code: 'ERR_TSRUN_USAGE', message: expect.stringMatching(problem) });

describe('sizes', () => {
  it.each([
    ['64m', 64 << 20],
    ['64M', 64 << 20],
    ['64mb', 64 << 20],
    ['64MiB', 64 << 20],
    ['1g', 1 << 30],
    ['1.5k', 1536],
    ['4096', 4096],
    ['4096b', 4096],
    ['0', 0],
  ])('%s', (text, bytes) => {
    expect(parseSize(text, '--shm-size')).toBe(bytes);
  });

  it.each(['', 'm', '-1', '1x', '1 g b', '1e9', '0x10', '99999999999999p'])('refuses %j', (text) => {
    expect(() => parseSize(text, '--shm-size')).toThrow(usage(/--shm-size .*not a size/));
  });
});

describe('-e', () => {
  const own = { HOME: '/home/me', LC_ALL: 'C', LC_TIME: 'de', EMPTY: '' };

  it.each([
    ['A=1', ['A=1']],
    ['A=', ['A=']],
    ['A=b=c', ['A=b=c']],
    ['HOME', ['HOME=/home/me']],
    ['EMPTY', ['EMPTY=']],
    ['UNSET', []],
    ['LC_*', ['LC_ALL=C', 'LC_TIME=de']],
    ['LC_*=x', ['LC_*=x']],
  ])('%s', (text, entries) => {
    expect(environmentEntries(text, own)).toEqual(entries);
  });

  it.each(['', '=x'])('refuses %j', (text) => {
    expect(() => environmentEntries(text, own)).toThrow(usage(/needs a name/));
  });

  it('reads a file as docker does', () => {
    const text =
      '\u{feff}# comment\n\n  A=1\nB="quoted # no comment"\r\nHOME\nUNSET\n  # comment\nC= spaces stay \n';
    expect(readEnvironmentFile(file(text), own)).toEqual([
      'A=1',
      'B="quoted # no comment"',
      'HOME=/home/me',
      'C= spaces stay ',
    ]);
  });

  it('names the line of a file that is wrong', () => {
    expect(() => readEnvironmentFile(file('A=1\nB C=2\n'), own)).toThrow(usage(/file, line 2: the name/));
    expect(() => readEnvironmentFile(file('=1\n'), own)).toThrow(usage(/file, line 1: .*needs a name/));
    expect(() => readEnvironmentFile(file(Uint8Array.of(0xff, 0xfe)), own)).toThrow(
      usage(/--env-file .*file/),
    );
    expect(() => readEnvironmentFile(join(here, 'missing'), own)).toThrow(usage(/ENOENT/));
  });
});

describe('labels', () => {
  it('may have no value', () => {
    expect(parseLabel('a=b=c')).toEqual(['a', 'b=c']);
    expect(parseLabel('a')).toEqual(['a', '']);
    expect(() => parseLabel('=b')).toThrow(usage(/needs a name/));
  });

  it('come from files', () => {
    expect(readLabelFile(file('# no\na=1\n\n b \n'))).toEqual([
      ['a', '1'],
      ['b', ''],
    ]);
  });
});

describe('--entrypoint', () => {
  it.each([
    ['', []],
    ['/bin/sh -c', ['/bin/sh -c']],
    ['["/bin/sh","-c"]', ['/bin/sh', '-c']],
    ['[]', []],
    ['[', ['[']],
  ])('%j', (text, words) => {
    expect(parseEntrypoint(text)).toEqual(words);
  });

  it('refuses a list of other things', () => {
    expect(() => parseEntrypoint('["a", 1]')).toThrow(usage(/not a list of strings/));
  });
});

describe('one-word values', () => {
  it('are checked', () => {
    expect(oneOf('--pull', ['always', 'never'])('Always')).toBe('always');
    expect(() => oneOf('--pull', ['always', 'never'])('x')).toThrow(
      usage('--pull x: not one of always, never'),
    );
    expect(wholeNumber('--time', -1)('-1')).toBe(-1);
    expect(() => wholeNumber('--time', -1)('-2')).toThrow(usage(/whole number from -1/));
    expect(() => wholeNumber('--time', -1)('1.5')).toThrow(usage(/whole number/));
    expect(parseHostname('web-1.example')).toBe('web-1.example');
    for (const wrong of ['', '-a', 'a-', 'a_b', 'a'.repeat(65)])
      expect(() => parseHostname(wrong)).toThrow(usage(/host name/));
    expect(addresses('--dns')('9.9.9.9,::1')).toEqual(['9.9.9.9', '::1']);
    expect(() => addresses('--dns')('9.9.9.9,dns')).toThrow(usage(/"dns" is not an IP address/));
    expect(checkAddHost('db:host-gateway')).toBe('db:host-gateway');
    expect(() => checkAddHost('db')).toThrow(usage(/--add-host db/));
    expect(parseCapabilities('add')('NET_RAW,cap_chown')).toEqual(['NET_RAW', 'cap_chown']);
    expect(() => parseCapabilities('drop')('NET_ROW')).toThrow(usage(/NET_ROW/));
  });
});

describe('paths that cannot be looked at', () => {
  const tooLong = `/${'x'.repeat(300)}`; // ENAMETOOLONG, as EACCES would be for who is not root
  it.each([
    ['--pid', () => parseNamespaceMode('--pid')(`ns:${tooLong}`)],
    ['--network', () => checkNetwork(`ns:${tooLong}`)],
    ['--rootfs', () => parseRootfs(tooLong, '/')],
  ])('%s: the user is told why, as of any wrong option', (option, parse) => {
    expect(parse).toThrow(expect.objectContaining({ code: 'ERR_TSRUN_USAGE' }));
    expect(parse).toThrow(new RegExp(`${option} .*ENAMETOOLONG`));
  });
});

it('--network ns: that leads nowhere is refused before anything is pulled, by its path', () => {
  expect(() => checkNetwork('ns:/nowhere/at/all')).toThrow(
    /--network ns:\/nowhere\/at\/all: there is no such file/,
  );
  // These were "setns: Invalid argument", when all was there to start the container.
  expect(() => checkNetwork('ns:/etc/passwd')).toThrow(/ns:\/etc\/passwd: it is no namespace/);
  expect(() => checkNetwork('ns:/proc/self/ns/mnt')).toThrow(/it is a namespace of kind mnt/);
  expect(() => checkNetwork('ns:/proc/self/ns/net')).toThrow(/it is this machine's own/);
  expect(() => parseNamespaceMode('--uts')('ns:/proc/self/ns/uts')).toThrow(/it is this machine's own/);
});

describe('moments', () => {
  const now = Date.parse('2026-03-04T05:06:07.000Z');

  it.each([
    ['2026-01-02T15:04:05Z', '2026-01-02T15:04:05Z'],
    ['2026-01-02T15:04:05.123456789Z', '2026-01-02T15:04:05.123456789Z'],
    ['2026-01-02T15:04:05+01:00', '2026-01-02T14:04:05Z'],
    ['10m', '2026-03-04T04:56:07.000Z'],
    ['1h30m', '2026-03-04T03:36:07.000Z'],
    ['1700000000', '2023-11-14T22:13:20.000Z'],
  ])('%s', (text, moment) => {
    expect(parseMoment(text, '--since', now)).toBe(moment);
  });

  it('takes a date as the beginning of the day here', () => {
    expect(Date.parse(parseMoment('2026-01-02', '--since', now))).toBe(new Date(2026, 0, 2).getTime());
    expect(Date.parse(parseMoment('2026-01-02T10:20', '--since', now))).toBe(
      new Date(2026, 0, 2, 10, 20).getTime(),
    );
    expect(Date.parse(parseMoment('2026-01-02 10:20:30', '--since', now))).toBe(
      new Date(2026, 0, 2, 10, 20, 30).getTime(),
    );
  });

  it.each(['', 'yesterday', '10 m', '10x', '2026-13-01', '2026-01-02T25:00:00Z'])('refuses %j', (text) => {
    expect(() => parseMoment(text, '--since', now)).toThrow(usage(/--since .*not a time/));
  });

  it('adds up the parts of a duration', () => {
    expect(parseDuration('1m1.5s')).toBe(61_500);
    expect(parseDuration('1500ms')).toBe(1500);
    expect(parseDuration('5')).toBeUndefined();
  });
});

describe('filters', () => {
  const parse = parseFilter(['name', 'label', 'label!']);

  it('need a key that is known', () => {
    expect(parse('label=a=b')).toEqual({ key: 'label', value: 'a=b' });
    expect(parse('label!=a')).toEqual({ key: 'label!', value: 'a' });
    expect(() => parse('health=x')).toThrow(usage(/KEY one of name, label, label!/));
    expect(() => parse('name')).toThrow(usage(/KEY=VALUE/));
    expect(() => parseFilter(['name'], { pod: 'no pods' })('pod=a')).toThrow(
      usage(/pod=a is not supported: no pods/),
    );
  });

  it('are alternatives within a key, and all hold between keys', () => {
    const item = { name: 'web', labels: { a: '1', b: '' } };
    const matches = (...texts: string[]): boolean =>
      matchesFilters(
        texts.map(parse),
        ({ key, value }) => (key === 'name' ? item.name === value : labelMatches(item.labels, value)),
        ['label'],
      );
    expect(matches()).toBe(true);
    expect(matches('name=x', 'name=web')).toBe(true);
    expect(matches('name=x')).toBe(false);
    expect(matches('label=a', 'label=b')).toBe(true);
    expect(matches('label=a=1', 'label=c')).toBe(false);
    expect(matches('name=web', 'label=c')).toBe(false);
    expect(matches('label=a=2')).toBe(false);
  });

  it.each([
    ['docker.io/library/httpd:latest', 'httpd', true],
    ['docker.io/library/httpd:latest', 'library/httpd:latest', true],
    ['docker.io/library/httpd:latest', 'docker.io/library/httpd', true],
    ['docker.io/library/httpd:latest', 'http*', true],
    ['docker.io/library/httpd:latest', '*/httpd:lat?st', true],
    ['docker.io/library/httpd:latest', 'ttpd', false],
    ['docker.io/library/httpd:latest', 'httpd:2', false],
    ['docker.io/library/httpd:latest', 'h.tpd', false],
    ['127.0.0.1:5000/httpd:latest', '127.0.0.1:5000/httpd', true],
  ])('%s has the name %s: %s', (reference, pattern, expected) => {
    expect(matchesReference(reference, pattern)).toBe(expected);
  });

  it('take any text for a pattern', () => {
    fc.assert(
      fc.property(fc.string(), (pattern) => {
        expect(typeof matchesReference('docker.io/library/httpd:latest', pattern.replaceAll('[', ''))).toBe(
          'boolean',
        );
      }),
    );
    expect(matchesReference('docker.io/library/httpd:latest', '[f-h]ttpd')).toBe(true);
    expect(() => matchesReference('docker.io/library/httpd:latest', '[z-a]')).toThrow(usage(/not a pattern/));
  });
});
