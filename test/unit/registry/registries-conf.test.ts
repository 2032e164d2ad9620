import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { resolveShortName } from '../../../src/image/short-names.ts';
import { readRegistriesConf } from '../../../src/registry/read-registries-conf.ts';
import {
  endpointsFor,
  mergeRegistriesConf,
  parseRegistriesConf,
} from '../../../src/registry/registries-conf.ts';
import { formatReference, parseName, parseReference } from '../../../src/spec/reference.ts';
import { temporaryDirectoryForTest } from '../../support/temporary-store.ts';

const conf = (...texts: string[]) =>
  mergeRegistriesConf(texts.map((text, i) => parseRegistriesConf(parse(text), `/conf${i}`)));

/** `name` or `name!` when insecure, in their order. */
const endpoints = (text: string, name: string): string[] =>
  endpointsFor(conf(text), parseReference(name)).map(
    ({ reference, insecure }) => `${formatReference(reference)}${insecure ? '!' : ''}`,
  );

const DIGEST = `sha256:${'a'.repeat(64)}`;

/** The example of containers-registries.conf(5). */
const MANUAL = `
unqualified-search-registries = ["example.com"]
[[registry]]
prefix = "example.com/foo"
insecure = false
blocked = false
location = "internal-registry-for-example.com/bar"
[[registry.mirror]]
location = "example-mirror-0.local/mirror-for-foo"
[[registry.mirror]]
location = "example-mirror-1.local/mirrors/foo"
insecure = true
[[registry]]
location = "registry.com"
[[registry.mirror]]
location = "mirror.registry.com"
`;

describe('where an image is looked for', () => {
  test('the example of the manual', () => {
    expect(endpoints(MANUAL, 'example.com/foo/image:latest')).toEqual([
      'example-mirror-0.local/mirror-for-foo/image:latest',
      'example-mirror-1.local/mirrors/foo/image:latest!',
      'internal-registry-for-example.com/bar/image:latest',
    ]);
    expect(endpoints(MANUAL, 'registry.com/image:latest')).toEqual([
      'mirror.registry.com/image:latest',
      'registry.com/image:latest',
    ]);
    expect(endpoints(MANUAL, 'example.com/food:1')).toEqual(['example.com/food:1']);
  });

  test.each([
    ['the longest prefix', 'a.io/x', 'a.io/x/y', 'a.io/x/y/z:1', 'second.io/z:1'],
    ['a whole repository', 'a.io', 'a.io/x', 'a.io/x:1', 'second.io/x:1'],
    ['no part of a word', 'a.io', 'a.io/x', 'a.io/xy:1', 'first.io/xy:1'],
  ])('%s', (_, first, second, name, expected) => {
    const location = second === 'a.io/x' && name === 'a.io/x:1' ? 'second.io/x' : 'second.io';
    const text = `[[registry]]\nprefix = "${first}"\nlocation = "first.io"\n[[registry]]\nprefix = "${second}"\nlocation = "${location}"`;
    expect(endpoints(text, name)).toEqual([expected]);
  });

  test('all below a domain', () => {
    const text = '[[registry]]\nprefix = "*.example.com"\ninsecure = true';
    expect(endpoints(text, 'a.b.example.com:5000/x/y')).toEqual(['a.b.example.com:5000/x/y:latest!']);
    expect(endpoints(text, 'example.com/x')).toEqual(['example.com/x:latest']);
    expect(endpoints(text, 'badexample.com/x')).toEqual(['badexample.com/x:latest']);
    const moved = '[[registry]]\nprefix = "*.example.com"\nlocation = "cache.io/all"';
    expect(endpoints(moved, 'a.example.com/x')).toEqual(['cache.io/all/x:latest']);
  });

  test('mirrors for digests only, or for tags only', () => {
    const text = `[[registry]]
location = "a.io"
[[registry.mirror]]
location = "d.io"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "t.io"
pull-from-mirror = "tag-only"`;
    expect(endpoints(text, 'a.io/x')).toEqual(['t.io/x:latest', 'a.io/x:latest']);
    expect(endpoints(text, `a.io/x@${DIGEST}`)).toEqual([`d.io/x@${DIGEST}`, `a.io/x@${DIGEST}`]);
    const old =
      '[[registry]]\nlocation = "a.io"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.io"';
    expect(endpoints(old, 'a.io/x')).toEqual(['a.io/x:latest']);
    expect(endpoints(old, `a.io/x@${DIGEST}`)).toHaveLength(2);
  });

  test("docker.io's short path is written in full", () => {
    const text = '[[registry]]\nprefix = "docker.io/library"\nlocation = "m.io/hub"';
    expect(endpoints(text, 'docker.io/httpd')).toEqual(['m.io/hub/httpd:latest']);
  });

  test('what is blocked is refused, and the file named', () => {
    const text = '[[registry]]\nlocation = "bad.io"\nblocked = true';
    expect(() => endpoints(text, 'bad.io/x')).toThrow(
      'bad.io/x:latest may not be asked for: /conf0 blocks bad.io',
    );
    expect(endpoints(text, 'worse.bad.io/x')).toEqual(['worse.bad.io/x:latest']);
  });

  test('version 1', () => {
    const text =
      '[registries.search]\nregistries = ["s.io"]\n[registries.insecure]\nregistries = ["i.io"]\n[registries.block]\nregistries = ["b.io"]';
    expect(conf(text).search).toEqual(['s.io']);
    expect(endpoints(text, 'i.io/x')).toEqual(['i.io/x:latest!']);
    expect(() => endpoints(text, 'b.io/x')).toThrow('blocks b.io');
  });
});

test('a later file counts', () => {
  const merged = conf(
    'unqualified-search-registries = ["a.io"]\n[aliases]\nx = "a.io/x"\ny = "a.io/y"\n[[registry]]\nlocation = "r.io"\nblocked = true',
    '[aliases]\nx = "b.io/x"\ny = ""\n[[registry]]\nlocation = "r.io"',
  );
  expect(merged.search).toEqual(['a.io']);
  expect([...merged.aliases]).toEqual([['x', 'b.io/x']]);
  expect(merged.tables.map(({ blocked, file }) => [blocked, file])).toEqual([[false, '/conf1']]);
});

test.each([
  ['unqualified-search-registries = "a.io"', 'unqualified-search-registries is not an array of strings'],
  ['[[registry]]\ninsecure = true', 'a registry has neither prefix nor location'],
  ['[[registry]]\nprefix = "a.*.io"', 'prefix "a.*.io": * may only stand for the first parts of a host'],
  ['[[registry]]\nlocation = "https://a.io"', '"https://a.io" has a scheme'],
  ['[[registry]]\nlocation = "a.io"\nblocked = "yes"', 'registry.blocked is not true or false'],
  ['[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\ninsecure = true', 'a mirror has no location'],
  ['registry = 1', 'registry is not an array of tables'],
  ['[aliases]\nx = 1', 'aliases.x is not a string'],
])('%j is refused', (text, problem) => {
  expect(() => conf(text)).toThrow(`/conf0 is wrong: ${problem}`);
});

describe('files', () => {
  const homeWith = (files: Record<string, string>): NodeJS.ProcessEnv => {
    const home = temporaryDirectoryForTest();
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, name)), { recursive: true });
      writeFileSync(join(home, name), text);
    }
    return { HOME: home };
  };
  const main = '.config/containers/registries.conf';

  test("the user's, its drop-ins in order, and the aliases that podman noted", async () => {
    const environment = homeWith({
      [main]: 'unqualified-search-registries = ["user.io"]',
      [`${main}.d/10.conf`]: '[aliases]\ntsrun-a = "ten.io/a"\ntsrun-b = "ten.io/b"\ntsrun-c = "ten.io/c"',
      [`${main}.d/20.conf`]: '[aliases]\ntsrun-b = "twenty.io/b"\ntsrun-c = "twenty.io/c"',
      [`${main}.d/30.txt`]: 'not read',
      '.cache/containers/short-name-aliases.conf': '[aliases]\n"tsrun-c" = "noted.io/c"',
    });
    const { search, aliases } = await readRegistriesConf(environment);
    expect(search).toEqual(['user.io']);
    const of = (name: string) => aliases.get(name);
    expect([of('tsrun-a'), of('tsrun-b'), of('tsrun-c')]).toEqual(['ten.io/a', 'twenty.io/b', 'noted.io/c']);
  });

  test('$CONTAINERS_REGISTRIES_CONF takes the place of the main one', async () => {
    const environment = homeWith({
      [main]: 'unqualified-search-registries = ["user.io"]',
      own: 'unqualified-search-registries = ["own.io"]',
    });
    const own = join(environment.HOME!, 'own');
    expect((await readRegistriesConf({ ...environment, CONTAINERS_REGISTRIES_CONF: own })).search).toEqual([
      'own.io',
    ]);
    await expect(
      readRegistriesConf({ ...environment, CONTAINERS_REGISTRIES_CONF: '/nonexistent/x' }),
    ).rejects.toMatchObject({ code: 'ERR_TSRUN_REGISTRIES_CONF' });
  });

  test('what is no TOML is named', async () => {
    const environment = homeWith({ [main]: 'unqualified-search-registries = [' });
    await expect(readRegistriesConf(environment)).rejects.toMatchObject({
      code: 'ERR_TSRUN_REGISTRIES_CONF',
      message: `${join(environment.HOME!, main)} is wrong: it is not TOML`,
    });
  });

  test('short names: aliases with the tag that was written, else the search list, else docker.io', async () => {
    const names = async (written: string, files: Record<string, string>) =>
      (await resolveShortName(parseName(written), homeWith(files))).map(formatReference);
    const both = {
      [main]: 'unqualified-search-registries = ["a.io", "b.io:5000"]\n[aliases]\n"tsrun/app" = "quay.io/x/y"',
    };
    expect(await names('tsrun/app:2', both)).toEqual(['quay.io/x/y:2']);
    expect(await names(`tsrun/app@${DIGEST}`, both)).toEqual([`quay.io/x/y@${DIGEST}`]);
    expect(await names('tsrun-other', both)).toEqual([
      'a.io/tsrun-other:latest',
      'b.io:5000/tsrun-other:latest',
    ]);
    expect(await names('tsrun-other', {})).toEqual(['docker.io/library/tsrun-other:latest']);
    await expect(
      names('tsrun-other', { [main]: 'unqualified-search-registries = []' }),
    ).rejects.toMatchObject({
      code: 'ERR_TSRUN_SHORT_NAME',
      hint: 'write it in full, such as docker.io/library/tsrun-other',
    });
  });
});
