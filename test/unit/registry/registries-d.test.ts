import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRegistriesD, usesAttachments } from '../../../src/registry/registries-d.ts';
import { parseSimpleYaml } from '../../../src/registry/simple-yaml.ts';
import { temporaryDirectoryForTest } from '../../support/temporary-store.ts';

describe('simple YAML', () => {
  test('reads mappings, comments, quotes and empty mappings', () => {
    const text = [
      '# files of packages look so',
      '---',
      'default-docker: {}',
      'docker:',
      '    127.0.0.1:5000:   # a port is no value',
      '        use-sigstore-attachments: true # yes',
      '    "quoted key" : ',
      "        a: 'it''s # no comment'",
      '    registry.example.com/app:',
      '        lookaside: https://x.example.com/#a',
      'last: ',
      '',
    ].join('\n');
    const toObject = (value: unknown): unknown =>
      value instanceof Map ? Object.fromEntries([...value].map(([k, v]) => [k, toObject(v)])) : value;
    expect(toObject(parseSimpleYaml(text))).toEqual({
      'default-docker': {},
      docker: {
        '127.0.0.1:5000': { 'use-sigstore-attachments': 'true' },
        'quoted key': { a: "it's # no comment" },
        'registry.example.com/app': { lookaside: 'https://x.example.com/#a' },
      },
      last: {},
    });
  });

  test.each([
    ['a list', 'docker:\n  - a: 1'],
    ['a flow mapping', 'docker: {a: {b: c}}'],
    ['an anchor', 'docker: &x\n  a: b'],
    ['a merge', 'docker:\n  <<: *x'],
    ['a block of text', 'docker: |\n  a'],
    ['a value that goes on', 'docker: a\n  b: c'],
    ['a tab', 'docker:\n\ta: b'],
    ['an indentation that fits nothing', 'docker:\n    a: b\n  c: d'],
    ['a key twice', 'docker:\n  a: b\n  a: c'],
    ['a line without a key', 'docker:\n  true'],
    ['a second document', 'a: b\n---\nc: d'],
  ])('%s is refused by line', (_, text) => {
    expect(() => parseSimpleYaml(text)).toThrow(/^line \d+: /);
  });
});

describe('registries.d', () => {
  const home = (...files: string[]): NodeJS.ProcessEnv => {
    const HOME = temporaryDirectoryForTest();
    const directory = join(HOME, '.config', 'containers', 'registries.d');
    mkdirSync(directory, { recursive: true });
    for (const [i, text] of files.entries()) writeFileSync(join(directory, `${i}.yaml`), text);
    writeFileSync(join(directory, 'note.txt'), '- not read');
    return { HOME };
  };
  const section = (scope: string, yes: boolean): string =>
    `docker:\n  ${scope}:\n    use-sigstore-attachments: ${yes}\n`;

  test('the most exact scope that says something counts, then the default', () => {
    const conf = readRegistriesD(
      home(
        `default-docker:\n  use-sigstore-attachments: true\n${section('r.io', false)}`,
        section('r.io/a', true),
        'docker:\n  r.io/a/b:\n    lookaside: https://x\n',
      ),
    );
    expect(usesAttachments(conf, ['r.io/a/b:1', 'r.io/a/b', 'r.io/a', 'r.io'])).toBe(true);
    expect(usesAttachments(conf, ['r.io/c:1', 'r.io/c', 'r.io'])).toBe(false);
    expect(usesAttachments(conf, ['q.io/c', 'q.io'])).toBe(true);
    expect(usesAttachments(readRegistriesD(home()), ['q.io'])).toBe(false);
  });

  test.each([
    ['one scope in two files', [section('r.io', true), section('r.io', true)]],
    ['neither true nor false', ['docker:\n  r.io:\n    use-sigstore-attachments: perhaps\n']],
    ['a section that is a text', ['docker:\n  r.io: yes\n']],
    ['no YAML', ['docker: [']],
  ])('%s is refused, naming the file', (_, files) => {
    expect(() => readRegistriesD(home(...files))).toThrow(/registries\.d\/\d\.yaml is wrong/);
  });
});
