/**
 * `system df`, `prune`, `check`, `reset`, and the store when parts of it are gone (AC-2.3, AC-4.2). Peers answered one lost directory
 * with failures of every command, of the one that cleans up, too, and the advice to delete everything by hand as root.
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isRunning } from '../support/container-processes.ts';
import { imageOf, writeLayout } from '../support/image-fixture.ts';
import { kindsOfObjects, loseObject, storeObjects } from '../support/lose-object.ts';
import { changeLayer, specialLayer } from '../support/rare-layers.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { file, tarArchive } from '../support/tar-builder.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
let registry: Registry;
let reference: string;

beforeAll(async () => {
  registry = await startRegistry();
  reference = await registry.push('busybox');
});
afterAll(() => registry[Symbol.asyncDispose]());
beforeEach(() => tsrun.ok('system', 'reset', '-f'));

const at = (...names: string[]): string => join(tsrun.store.root, ...names);
const list = (...names: string[]): string[] => readdirSync(at(...names)).sort();

/** An image, a container that has ended, one that runs, and a volume. */
async function fill(): Promise<void> {
  await tsrun.ok('pull', '-q', reference);
  await tsrun.ok('run', '--network', 'none', '--name', 'old', reference, 'sh', '-c', 'echo written >/file');
  await tsrun.ok(
    'run',
    '-d',
    '--network',
    'none',
    '--name',
    'web',
    '-v',
    'data:/data',
    reference,
    'sleep',
    '1000',
  );
}

describe('df and prune', () => {
  it('what is used, what is not, and what goes', async () => {
    await fill();
    await tsrun.ok('run', '--rm', '--network', 'none', '-v', '/anonymous', IMAGE, 'true');
    const rows = (await tsrun.ok('system', 'df', '--format', 'json'))
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number | string>);
    expect(rows.map(({ Type, Total, Active }) => [Type, Total, Active])).toEqual([
      ['Images', 1, 1],
      ['Downloads', 3, 3],
      ['Containers', 2, 1],
      ['Local Volumes', 1, 1],
    ]);
    expect(rows.every(({ RawSize }) => Number(RawSize) > 0)).toBe(true);
    // When it was made, which is some time ago, and not when it came into the store.
    expect(await tsrun.ok('system', 'df', '-v')).toMatch(
      /Images space usage:\n\nREPOSITORY.*\n(.*\n)*.*busybox +latest.* (months|years) ago .* 2\n\nContainers space usage:\n(.*\n)*.*web\n(.*\n)*\nLocal Volumes space usage:\n\nVOLUME NAME +LINKS +SIZE\ndata +1 +\d/,
    );
    expect(await tsrun.ok('system', 'prune', '-f', '--filter', 'until=1h')).toMatch(
      /^Total reclaimed space: 0B/,
    );
    expect(await tsrun.ok('system', 'prune', '-f')).toMatch(
      /^Deleted Containers\n[0-9a-f]{64}\nTotal reclaimed space: \d/,
    );
    expect(await tsrun.ok('ps', '-a', '--format', '{{.Names}}')).toBe('web');
    await tsrun.ok('rm', '-f', 'web');
    expect(await tsrun.ok('system', 'prune', '-a', '-f')).toMatch(/Deleted Images\nsha256:/);
    expect([list('layers'), list('blobs', 'sha256'), list('volumes')]).toEqual([[], [], ['data']]);
  });
});

describe('something is lost (AC-4.2)', () => {
  it('what lists and what cleans up work on, and check repairs it or says what to do', async () => {
    const kinds = await kindsOfObjects(tsrun, reference);
    for (const kind of ['layers/X/diff', 'containers/X/container.json', 'names/old', 'images'])
      await loseObject(tsrun, reference, kinds.get(kind)!);
  });

  it('a pull heals documents, though the registry still has the same image: it said "up to date" and left them as they were', async () => {
    await tsrun.ok('pull', '-q', reference);
    const digests = await tsrun.ok('image', 'inspect', '-f', '{{.Digest}} {{.Id}}', reference);
    const paths = digests.split(' ').map((digest) => at('blobs', 'sha256', digest.replace('sha256:', '')));
    const texts = paths.map((path) => readFileSync(path, 'utf8'));
    const damages = [(text: string) => text.replace(/[0-9]/, (n) => `${(Number(n) + 1) % 10}`), () => '{}'];
    for (const [i, path] of paths.entries()) {
      writeFileSync(path, damages[i]?.(texts[i] ?? '') ?? '');
      await tsrun.ok('pull', '-q', reference);
      expect(readFileSync(path, 'utf8')).toBe(texts[i]);
    }
    await tsrun.expect(0, ['system', 'check']);
  });

  // Every image with a whiteout was called damaged, at each check and after each repair: the layer was compared with what its archive
  // unpacks to now, whose whiteouts are as old as they are. With all else that is rare, and parents that no archive tells of.
  it('nothing: images of rare layers are whole, again after a repair', async () => {
    const implicit = tarArchive(file('a/b/c', 'x'), file('usr/lib/deep/er', 'y'));
    const over = tarArchive(
      file('a/b/d'),
      file('a/.wh.b', ''),
      file('usr/lib/.wh..wh..opq', ''),
      file('usr/n/x'),
    );
    mkdirSync(join(tsrun.store.directory, 'rare'));
    writeLayout(join(tsrun.store.directory, 'rare'), [
      { image: imageOf([specialLayer(), changeLayer()]), name: 'localhost/rare:1' },
      { image: imageOf([implicit, over]), name: 'localhost/rare:2' },
      { image: imageOf([implicit, tarArchive(file('.wh.a', ''))]), name: 'localhost/rare:3' },
    ]);
    await tsrun.ok('load', '-qi', join(tsrun.store.directory, 'rare'));
    await tsrun.ok('pull', '-q', await registry.push('whiteout'));
    expect(await tsrun.ok('system', 'check')).toMatch(/4 images, \d+ layers: no damage$/);
    const id = await tsrun.ok('image', 'inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', 'localhost/rare:3');
    await tsrun.ok('unshare', 'rm', join(id, 'a'));
    expect((await tsrun.expect(125, ['system', 'check'])).stdout).toMatch(/ a: missing\n/);
    await tsrun.expect(0, ['system', 'check', '--repair']);
    expect(await tsrun.ok('system', 'check')).toMatch(/: no damage$/);
  });

  it('a file of a layer, a byte of a blob, a record of a container', async () => {
    await tsrun.ok('pull', '-q', reference);
    const id = await tsrun.ok('create', '--network', 'none', reference, 'true');
    const [layer = ''] = list('layers');
    const blob = list('blobs', 'sha256').map((name) => at('blobs', 'sha256', name));
    const largest = blob.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
    await tsrun.ok(
      'unshare',
      'sh',
      '-c',
      `cd ${at('layers', layer, 'diff')} && rm bin/busybox && echo x >>etc/passwd`,
    );
    const looked = await tsrun.expect(125, ['system', 'check']);
    expect(looked.stdout).toMatch(
      new RegExp(`layer sha256:${layer}: .*bin/busybox: missing.*\n  hint: tsrun system check --repair`),
    );
    expect(looked.stdout).toMatch(/etc\/passwd: its size/);
    expect((await tsrun.expect(0, ['system', 'check', '--repair'])).stdout).toContain(
      'repaired: unpacked again',
    );
    expect(await tsrun.ok('run', '--rm', '--network', 'none', reference, 'echo', 'whole')).toBe('whole');

    const bytes = readFileSync(largest);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    writeFileSync(largest, bytes);
    await tsrun.expect(0, ['system', 'check', '--quick']);
    const damaged = await tsrun.expect(125, ['system', 'check']);
    expect(damaged.stdout).toContain(
      `its content is not that of its name\n  hint: tsrun system check --repair && tsrun pull ${reference}:latest\n`,
    );
    // What was given out of it would be refused, or worse, taken; and what could not be made is not there by half.
    const digest = largest.split('/').at(-1) ?? '';
    const out = join(tsrun.store.directory, 'saved');
    for (const words of [
      ['save', '-o', out],
      ['save', '--format', 'oci-archive', '-o', out],
      ['save', '--format', 'oci-dir', '-o', out],
      ['save', '--format', 'docker-dir', '-o', out],
    ]) {
      const { stderr } = await tsrun.expect(125, [...words, reference]);
      expect(stderr).toContain(`cannot read sha256:${digest} of image ${reference}:latest\ncause: `);
      expect(stderr).toContain(`hint: tsrun system check --repair && tsrun pull ${reference}:latest\n`);
      expect(existsSync(out), words.join(' ')).toBe(false);
    }
    // It removed the blob, called that repaired, and the next check found it missing: it fetches it by its digest.
    const repaired = await tsrun.expect(0, ['system', 'check', '--repair']);
    expect(repaired.stdout).toContain('its content is not that of its name\n  repaired: fetched again\n');
    await tsrun.expect(0, ['system', 'check']);
    // A layer goes with what it was made of, and the registry is away: then that is said, and what helps.
    rmSync(largest);
    await tsrun.ok('tag', reference, '127.0.0.1:1/away');
    await tsrun.ok('untag', reference, reference);
    const left = await tsrun.expect(125, ['system', 'check', '--repair', '--quick']);
    expect(left.stdout).toMatch(
      new RegExp(
        `blob sha256:${digest} is missing; it could not be fetched: .*\n  hint: tsrun pull 127.0.0.1:1/away`,
      ),
    );
    await tsrun.ok('pull', '-q', reference);
    await tsrun.expect(0, ['system', 'check']);

    writeFileSync(at('containers', id, 'container.json'), '{');
    expect((await tsrun.expect(0, ['ps', '-a'])).stderr).toContain(`tsrun rm -f ${id.slice(0, 12)}`);
    expect((await tsrun.expect(0, ['system', 'prune', '-f', '-a'])).stderr).toContain(
      'system check --repair',
    );
    expect(await tsrun.ok('rm', '-f', id.slice(0, 12))).toBe(id);
    expect([list('containers'), list('names')]).toEqual([[], []]);
  });
});

/** Numbers that look random and are the same each time (a linear congruential generator). */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield (state >>> 8) / 2 ** 24;
  }
}

describe('reset', () => {
  it.each([1, 2])('whatever was done to the store (AC-2.3), seed %i', async (seed) => {
    await fill();
    const pid = Number(await tsrun.ok('inspect', '-f', '{{.State.Pid}}', 'web'));
    const random = numbers(seed);
    const next = (below: number): number => Math.floor(random.next().value * below);
    for (const path of storeObjects(tsrun.store.root)) {
      const target = at(path);
      if (next(3) > 0) continue;
      try {
        const stat = lstatSync(target);
        if (stat.isSymbolicLink()) continue;
        if (next(3) === 0) rmSync(target, { recursive: true, force: true });
        else if (stat.isFile() && next(2) === 0) truncateSync(target, next(stat.size));
        else chmodSync(target, 0);
      } catch (error) {
        // behind a directory that was closed a moment ago, or of a subordinate id
        expect((error as NodeJS.ErrnoException).code).toMatch(/EACCES|ENOTEMPTY|EPERM|ENOENT/);
      }
    }
    await tsrun.ok('system', 'reset', '-f');
    expect(existsSync(tsrun.store.root)).toBe(false);
    expect(isRunning(pid)).toBe(false);
  });

  it("leaves what is not tsrun's, asks first, and a store can be made again", async () => {
    await fill();
    writeFileSync(at('letter'), 'mine\n');
    await tsrun.expect(0, ['system', 'reset'], { input: 'n\n' });
    expect(await tsrun.ok('ps', '-q')).not.toBe('');
    expect((await tsrun.expect(0, ['system', 'reset'], { input: 'y\n' })).stderr).toContain(
      'left alone: letter',
    );
    expect(list()).toEqual(['letter']);
    rmSync(at('letter'));
    expect(await tsrun.ok('run', '--rm', '--network', 'none', IMAGE, 'echo', 'again')).toBe('again');
  });
});
