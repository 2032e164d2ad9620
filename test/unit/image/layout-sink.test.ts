/** Layouts that grow: what is there stays, and a copy that fails leaves nothing of itself. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { DirectorySink } from '../../../src/image/archive/file-sink.ts';
import { blobName, endLayout } from '../../../src/image/archive/layout-files.ts';
import { LayoutSink, requireLayoutPlace } from '../../../src/image/archive/layout-sink.ts';
import { parseDigest } from '../../../src/spec/digest.ts';
import type { Descriptor } from '../../../src/spec/image.ts';
import { digestOf } from '../../support/image-fixture.ts';
import { temporaryDirectoryForTest } from '../../support/temporary-store.ts';

const REF = 'org.opencontainers.image.ref.name';
const entry = (text: string, name: string): Descriptor => ({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: parseDigest(digestOf(Buffer.from(text)), 'test'),
  size: text.length,
  annotations: { [REF]: name },
});

async function add(directory: string, text: string, onWait?: () => void): Promise<void> {
  using sink = await LayoutSink.open(directory, onWait);
  const image = entry(text, text);
  await sink.stream(blobName(image.digest), text.length, Readable.from([Buffer.from(text)]));
  await endLayout(sink, [image]);
}

const indexIn = (directory: string): { manifests: Descriptor[] } =>
  JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
const namesIn = (directory: string): (string | undefined)[] =>
  indexIn(directory).manifests.map(({ annotations }) => annotations?.[REF]);
const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((each) => !each.isDirectory())
    .map(({ name }) => name)
    .sort();

test('of copies at the same time into one layout, new or not, none is lost, and each waits for the others', async () => {
  const directory = join(temporaryDirectoryForTest(), 'new');
  const texts = ['a', 'b', 'c', 'd'];
  let waits = 0;
  await Promise.all(texts.map((text) => add(directory, text, () => waits++)));
  expect(namesIn(directory).toSorted()).toEqual(texts);
  expect(waits).toBe(texts.length - 1);
  expect(filesIn(directory)).toEqual(
    ['index.json', 'oci-layout', ...texts.map((text) => digestOf(Buffer.from(text)).slice(7))].sort(),
  );
});

test('while the first copy into a directory goes on, others see a layout there', async () => {
  const directory = temporaryDirectoryForTest();
  using sink = await LayoutSink.open(directory);
  await sink.stream(blobName(entry('a', 'a').digest), 1, Readable.from([Buffer.from('a')]));
  requireLayoutPlace(directory);
  expect(existsSync(join(directory, 'index.json'))).toBe(false);
});

test('a copy that fails leaves no part of a blob and lets others go on; nor does one stay that was killed', async () => {
  const directory = temporaryDirectoryForTest();
  await add(directory, 'a');
  const before = filesIn(directory);
  const broken = async function* () {
    yield Buffer.from('half');
    throw new Error('the content is damaged');
  };
  const name = blobName(entry('other', 'x').digest);
  const failing = async (): Promise<void> => {
    using sink = await LayoutSink.open(directory);
    await sink.stream(name, 8, broken());
  };
  // Often, as the file may be opened after the content has failed: then it was made when it had been taken away already.
  for (let time = 0; time < 10; time++) await expect(failing()).rejects.toThrow(/^the content is damaged$/);
  expect(filesIn(directory)).toEqual(before);
  writeFileSync(join(directory, `${name}.new`), 'half');
  writeFileSync(join(directory, 'blobs', 'sha256', 'theirs.new'), '');
  await add(directory, 'b');
  expect(filesIn(directory).filter((each) => each.endsWith('.new'))).toEqual(['theirs.new']);
  expect(namesIn(directory)).toEqual(['a', 'b']);
});

test('a blob that is there is not written again, one that was cut is', async () => {
  const directory = temporaryDirectoryForTest();
  await add(directory, 'whole');
  const path = join(directory, blobName(entry('whole', '').digest));
  using sink = await LayoutSink.open(directory);
  const never = Readable.from([Buffer.from('WHOLE')]);
  await sink.stream(blobName(entry('whole', '').digest), 5, never);
  expect(never.destroyed).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe('whole');
  writeFileSync(path, 'who');
  await sink.stream(blobName(entry('whole', '').digest), 5, Readable.from([Buffer.from('whole')]));
  expect(readFileSync(path, 'utf8')).toBe('whole');
});

test('an index that is none is refused before anything is written, and stays', async () => {
  const directory = temporaryDirectoryForTest();
  const config = { mediaType: 'x', digest: digestOf(Buffer.from('a')), size: 1 };
  const manifest = JSON.stringify({ schemaVersion: 2, config, layers: [] });
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(directory, 'index.json'), manifest);
  await expect(LayoutSink.open(directory)).rejects.toMatchObject({
    code: 'ERR_TSRUN_IMAGE_ARCHIVE',
    message: expect.stringContaining('its index.json is a manifest'),
  });
  writeFileSync(join(directory, 'index.json'), '{');
  await expect(LayoutSink.open(directory)).rejects.toMatchObject({ code: 'ERR_TSRUN_DOCUMENT' });
  expect(filesIn(directory)).toEqual(['index.json', 'oci-layout']);
  // Nobody holds the lock now.
  writeFileSync(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [] }));
  await add(directory, 'a');
  expect(namesIn(directory)).toEqual(['a']);
});

test('what else the index of a layout says stays', async () => {
  const directory = temporaryDirectoryForTest();
  await add(directory, 'a');
  const index = { ...indexIn(directory), annotations: { made: 'by hand' } };
  writeFileSync(join(directory, 'index.json'), JSON.stringify(index));
  await add(directory, 'b');
  expect(indexIn(directory)).toMatchObject({ annotations: { made: 'by hand' } });
  expect(namesIn(directory)).toEqual(['a', 'b']);
});

test('other directories are refused, and what is no directory is named with the cause', async () => {
  const directory = temporaryDirectoryForTest();
  const file = join(directory, 'file');
  writeFileSync(file, '');
  await expect(LayoutSink.open(directory)).rejects.toMatchObject({ code: 'ERR_TSRUN_USAGE' });
  expect(filesIn(directory)).toEqual(['file']);
  const refused = { code: 'ERR_TSRUN_OUTPUT_FILE', message: `cannot write ${file}` };
  await expect(LayoutSink.open(file)).rejects.toMatchObject(refused);
  expect(() => requireLayoutPlace(file)).toThrow(expect.objectContaining(refused));
  expect(() => new DirectorySink(file)).toThrow(expect.objectContaining(refused));
});

test('a disk that is full is named with the file; the temporary file goes', async () => {
  const directory = temporaryDirectoryForTest();
  const blobs = join(directory, 'blobs', 'sha256');
  const name = blobName(entry('a', '').digest);
  const full = { code: 'ERR_TSRUN_OUTPUT_FILE', cause: { code: 'ENOSPC' } };
  using sink = await LayoutSink.open(directory);
  mkdirSync(blobs, { recursive: true });
  symlinkSync('/dev/full', join(directory, `${name}.new`));
  await expect(sink.stream(name, 1, Readable.from([Buffer.from('a')]))).rejects.toMatchObject(full);
  symlinkSync('/dev/full', join(directory, `${name}.new`));
  await expect(sink.file(name, 'a')).rejects.toMatchObject(full);
  expect(readdirSync(blobs)).toEqual([]);
});
