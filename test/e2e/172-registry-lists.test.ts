/** Commands that ask registries without fetching, and pulls of several images. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Registry, startRegistry } from '../support/registry.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
  for (const name of ['team/busybox:1', 'team/busybox:2', 'other:latest'])
    await registry.push('busybox', name);
});
afterAll(() => registry[Symbol.asyncDispose]());

it('lists tags, in both words and in JSON', async () => {
  const name = `${registry.host}/team/busybox`;
  expect(await tsrun.ok('list-tags', name)).toBe('1\n2');
  expect(JSON.parse(await tsrun.ok('image', 'list-tags', '--format', 'json', name))).toEqual({
    Repository: name,
    Tags: ['1', '2'],
  });
  expect(await tsrun.ok('search', '--list-tags', '--format', '{{.Name}}:{{.Tag}}', name)).toBe(
    `${name}:1\n${name}:2`,
  );
  const { stderr } = await tsrun.expect(125, ['list-tags', `${name}:1`]);
  expect(stderr).toContain(`hint: write ${name}`);
});

it('searches', async () => {
  const table = await tsrun.ok('search', `${registry.host}/busy`);
  expect(table.split('\n').map((line) => line.trim())).toEqual([
    expect.stringMatching(/^NAME +DESCRIPTION$/),
    `${registry.host}/team/busybox`,
  ]);
  expect(await tsrun.ok('search', '--limit', '1', '--format', '{{.Name}}', `${registry.host}/`)).toBe(
    `${registry.host}/other`,
  );
});

it('pulls several images in one command, and all tags of one', async () => {
  const names = [`${registry.host}/team/busybox:1`, `${registry.host}/never`, `${registry.host}/other`];
  const several = await tsrun.expect(125, ['pull', '-q', ...names]);
  expect(several.stdout.trim().split('\n')).toHaveLength(2);
  expect(several.stderr).toContain('has no repository never');
  const all = await tsrun.expect(0, ['pull', '--all-tags', `${registry.host}/team/busybox`]);
  expect(new Set(all.stdout.trim().split('\n')).size).toBe(1);
  expect(await tsrun.ok('images', '--format', '{{.Tag}}', `${registry.host}/team/busybox`)).toMatch(
    /^[12]\n[12]$/,
  );
});

it('refuses short names when told to, also those of the store', async () => {
  const { stderr } = await tsrun.expect(125, ['run', '--rm', '--strict-names', 'busybox', 'true']);
  expect(stderr).toContain('"busybox" names no registry, and --strict-names wants one');
  expect(stderr).toContain('hint: write it in full, such as docker.io/library/busybox');
  await tsrun.expect(0, ['pull', '-q', '--strict-names', `${registry.host}/other`]);
});

it('tells progress as JSON', async () => {
  const { stderr } = await tsrun.expect(0, ['pull', '--progress=json', `${registry.host}/other`]);
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  expect(events.map(({ type }) => type)).toEqual(['pulling', 'done']);
});

it('gives up when told to', async () => {
  const { stderr } = await tsrun.expect(125, ['pull', '--retry=0', '--progress=plain', '127.0.0.1:1/x']);
  expect(stderr).not.toContain('Retrying');
  const bad = await tsrun.expect(125, ['pull', '--retry-delay=soon', 'x']);
  expect(bad.stderr).toContain('--retry-delay soon: not a duration');
});
