import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRegistriesD, usesAttachments } from '../../../src/registry/registries-d.ts';
import { temporaryDirectoryForTest } from '../../support/temporary-store.ts';

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

  test('the most exact scope that says something counts, then the default', async () => {
    const conf = await readRegistriesD(
      home(
        `default-docker:\n  use-sigstore-attachments: true\n${section('r.io', false)}`,
        section('r.io/a', true),
        'docker:\n  r.io/a/b:\n    lookaside: https://x\n',
      ),
    );
    expect(usesAttachments(conf, ['r.io/a/b:1', 'r.io/a/b', 'r.io/a', 'r.io'])).toBe(true);
    expect(usesAttachments(conf, ['r.io/c:1', 'r.io/c', 'r.io'])).toBe(false);
    expect(usesAttachments(conf, ['q.io/c', 'q.io'])).toBe(true);
    expect(usesAttachments(await readRegistriesD(home()), ['q.io'])).toBe(false);
  });

  test('as packages of distributions write it: comments, quotes, a port in a name, nothing in a section', async () => {
    const conf = await readRegistriesD(
      home(
        '# files of packages look so\n---\ndefault-docker: {}\ndocker:\n  127.0.0.1:5000:   # a port is no value\n' +
          "    use-sigstore-attachments: true # yes\n  'quoted.io':\n  r.io: {use-sigstore-attachments: false}\n",
      ),
    );
    expect([...conf.scopes]).toEqual([
      ['127.0.0.1:5000', true],
      ['quoted.io', undefined],
      ['r.io', false],
    ]);
  });

  test.each([
    ['one scope in two files', [section('r.io', true), section('r.io', true)]],
    ['neither true nor false', ['docker:\n  r.io:\n    use-sigstore-attachments: perhaps\n']],
    ['a section that is a text', ['docker:\n  r.io: yes\n']],
    ['no YAML', ['docker: [']],
    ['a key twice', ['docker:\n  r.io: {}\n  r.io: {}\n']],
    ['a list', ['- docker']],
  ])('%s is refused, naming the file', async (_, files) => {
    await expect(readRegistriesD(home(...files))).rejects.toThrow(/registries\.d\/\d\.yaml is wrong/);
  });
});
