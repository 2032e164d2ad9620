import { expect, test } from 'vitest';
import { annotatedName, mergeIndex, named, namesOf } from '../../../src/image/archive/layout-index.ts';
import { parseDigest } from '../../../src/spec/digest.ts';
import type { Descriptor, Index } from '../../../src/spec/image.ts';

const REF = 'org.opencontainers.image.ref.name';
const FULL = 'io.containerd.image.name';

const entry = (digit: string, annotations?: Record<string, string>): Descriptor => ({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: parseDigest(`sha256:${digit.repeat(64)}`, 'test'),
  size: 1,
  ...(annotations === undefined ? {} : { annotations }),
});
const indexOf = (...manifests: Descriptor[]): Index => ({ schemaVersion: 2, manifests });
const merged = (old: Descriptor[], added: Descriptor[]): Descriptor[] =>
  mergeIndex(indexOf(...old), indexOf(...added)).manifests;

test('an entry has the full name, and the tag, but no other annotation is a name', () => {
  const both = entry('a', { [REF]: 'v1', [FULL]: 'docker.io/library/x:v1', other: 'v2' });
  expect(namesOf(both)).toEqual(['docker.io/library/x:v1', 'v1']);
  expect(annotatedName(both)).toBe('docker.io/library/x:v1');
  expect(annotatedName(entry('a', { [REF]: 'v1', [FULL]: '' }))).toBe('v1');
  expect(namesOf(entry('a'))).toEqual([]);
  expect(namesOf({ ...entry('a'), annotations: { [REF]: 1 } as never })).toEqual([]);
});

test('a name is for every reader, and nothing else that an entry says is lost', () => {
  expect(named(entry('a', { other: 'o', [REF]: 'old' }), 'v1').annotations).toEqual({
    other: 'o',
    [REF]: 'v1',
    [FULL]: 'v1',
  });
});

test('an image without a name takes none away: neither from its own entries nor from others', () => {
  const [v1, v2] = [named(entry('a'), 'v1'), named(entry('a'), 'v2')];
  const other = named(entry('b'), 'other');
  expect(merged([v1, other, v2], [entry('a')])).toEqual([v1, other, v2]);
  expect(merged([other], [entry('a')])).toEqual([other, entry('a')]);
  expect(merged([entry('a'), other], [entry('a')])).toEqual([other, entry('a')]);
});

test('an image that gets a name needs its entry without one no more', () => {
  const v1 = named(entry('a'), 'v1');
  expect(merged([entry('a'), entry('b')], [v1])).toEqual([entry('b'), v1]);
});

test('a name goes to the last image that came by it, whichever annotation had it', () => {
  const v1 = named(entry('b'), 'v1');
  expect(merged([named(entry('a'), 'v1')], [v1])).toEqual([v1]);
  expect(merged([entry('a', { [REF]: 'v1' })], [v1])).toEqual([v1]);
  expect(merged([entry('a', { [FULL]: 'v1' })], [v1])).toEqual([v1]);
  // As docker and containerd write them: the old image keeps its other name, and what else is said of it.
  const theirs = { [REF]: 'v1', [FULL]: 'docker.io/library/x:v1', other: 'o' };
  expect(merged([entry('a', theirs)], [v1])).toEqual([
    entry('a', { [FULL]: 'docker.io/library/x:v1', other: 'o' }),
    v1,
  ]);
  const full = named(entry('b'), 'docker.io/library/x:v1');
  expect(merged([entry('a', theirs)], [full])).toEqual([entry('a', { [REF]: 'v1', other: 'o' }), full]);
});

test('the platforms of one name lose it together', () => {
  const v1 = named(entry('c'), 'v1');
  expect(merged([named(entry('a'), 'v1'), named(entry('b'), 'v1')], [v1])).toEqual([v1]);
});

test('what else the old index says stays', () => {
  const old = { ...indexOf(entry('a')), annotations: { a: 'b' }, artifactType: 'x/y' };
  expect(mergeIndex(old, { ...indexOf(entry('b')), mediaType: 'm' })).toEqual({
    schemaVersion: 2,
    mediaType: 'm',
    annotations: { a: 'b' },
    artifactType: 'x/y',
    manifests: [entry('a'), entry('b')],
  });
});
