/**
 * `tsrun cp`: docker's rules for where a copy goes, in containers that run and that do not; what is in volumes; owners; archives; and
 * that no link of a container leads to a file of this machine, even while it is being exchanged (CVE-2018-15664, CVE-2019-14271).
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const here = (...names: string[]): string => join(tsrun.store.directory, 'here', ...names);

/** Prints what is below a directory of the container: `path type mode owner`. */
async function listing(container: string, directory: string): Promise<string[]> {
  const script = `cd ${directory} && find . | sort | while read f; do stat -c "%n %F %a %u:%g" "$f"; done`;
  return (await tsrun.ok('exec', container, 'sh', '-c', script)).split('\n');
}

beforeAll(async () => {
  mkdirSync(here('tree', 'sub'), { recursive: true });
  writeFileSync(here('tree', 'file'), 'content of file\n', { mode: 0o640 });
  writeFileSync(here('tree', 'sub', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
  symlinkSync('../file', here('tree', 'sub', 'link'));
  execFileSync('touch', ['-d', '2001-02-03T04:05:06.789Z', here('tree', 'file')]);
  await tsrun.ok(
    'run',
    '-d',
    '--init',
    '--network',
    'none',
    '--name',
    'live',
    '-v',
    'vol:/vol',
    '--tmpfs',
    '/mem',
    IMAGE,
    'sleep',
    '1000',
  );
  await tsrun.ok(
    'create',
    '--network',
    'none',
    '--name',
    'still',
    '-v',
    'vol2:/vol',
    IMAGE,
    'sh',
    '-c',
    'find /got /vol | sort',
  );
});

describe.each(['live', 'still'])('a container that is %s', (name) => {
  it('gets a file under the name that is said, or into a directory', async () => {
    const file = here('tree', 'file');
    await tsrun.ok('cp', file, `${name}:/one`);
    await tsrun.ok('cp', file, `${name}:tmp`);
    for (const path of ['/one', '/tmp/file']) {
      await tsrun.ok('cp', `${name}:${path}`, here('back'));
      expect(readFileSync(here('back'), 'utf8')).toBe('content of file\n');
      expect(statSync(here('back')).mtime.toISOString()).toBe('2001-02-03T04:05:06.789Z');
      expect(statSync(here('back')).mode & 0o777).toBe(0o640);
    }
  });

  it('gets a directory as a new one, into one, or only what is in it', async () => {
    await tsrun.ok('cp', here('tree'), `${name}:/new`);
    await tsrun.ok('cp', here('tree'), `${name}:/new`);
    await tsrun.ok('cp', `${here('tree')}/.`, `${name}:/contents`);
    await tsrun.ok('cp', `${name}:/new`, here(`${name}-new`));
    expect(readdirSync(here(`${name}-new`)).sort()).toEqual(['file', 'sub', 'tree']);
    expect(readdirSync(here(`${name}-new`, 'tree')).sort()).toEqual(['file', 'sub']);
    expect(readlinkSync(here(`${name}-new`, 'sub', 'link'))).toBe('../file');
    await tsrun.ok('cp', `${name}:/contents/.`, here(`${name}-contents`));
    expect(readdirSync(here(`${name}-contents`)).sort()).toEqual(['file', 'sub']);
  });

  it('volumes are where they are mounted', async () => {
    await tsrun.ok('cp', here('tree', 'file'), `${name}:/vol/in-volume`);
    const [{ Mountpoint }] = JSON.parse(
      await tsrun.ok('volume', 'inspect', name === 'live' ? 'vol' : 'vol2'),
    );
    expect(readFileSync(join(Mountpoint, 'in-volume'), 'utf8')).toBe('content of file\n');
    await tsrun.ok('cp', `${name}:/vol/in-volume`, here('out-of-volume'));
    expect(existsSync(here('out-of-volume'))).toBe(true);
  });

  it.each([
    [() => [here('tree', 'file'), `${name}:/no/such/place`], 'there is no directory'],
    [() => [here('tree', 'file'), `${name}:/absent/`], 'no such directory'],
    [() => [here('tree', 'file'), `${name}:/bin/busybox/`], 'no such directory'],
    [() => [here('tree'), `${name}:/bin/busybox`], 'no directory'],
    [() => [here('absent'), `${name}:/`], 'no such file'],
    [() => [`${name}:/absent`, here()], 'no such file'],
    [() => [`${name}:/bin/busybox`, here('busybox')], ''],
    [() => [here('tree'), here('other')], 'neither place is in a container'],
  ])('case %#', async (words, text) => {
    const result = await tsrun.run(['cp', ...words()]);
    expect([result.status, result.stderr]).toEqual([text === '' ? 0 : 125, expect.stringContaining(text)]);
  });

  it('an archive goes in by stdin and comes out by stdout', async () => {
    const tar = execFileSync('tar', ['-C', here(), '-c', 'tree']);
    const { child, ended } = tsrun.start(['cp', '-', `${name}:/tmp`], { keepInputOpen: true });
    child.stdin?.end(tar);
    expect((await ended).status).toBe(0);
    const { output } = await tsrun.expect(0, ['cp', `${name}:/tmp/tree`, '-']);
    const names = execFileSync('tar', ['-t'], { input: output }).toString().trim().split('\n').sort();
    expect(names).toEqual(['tree/', 'tree/file', 'tree/sub/', 'tree/sub/link', 'tree/sub/run.sh']);
  });

  it('links are resolved inside the container', async () => {
    const secret = here(`secret-of-${name}`);
    writeFileSync(secret, 'of this machine');
    const target = tsrun.store.directory;
    symlinkSync(target, here(`out-${name}`));
    await tsrun.ok('cp', here(`out-${name}`), `${name}:/out`);
    await tsrun.expect(125, ['cp', `${name}:/out/here/secret-of-${name}`, here('stolen')]);
    await tsrun.expect(125, ['cp', here('tree', 'file'), `${name}:/out/overwritten`]);
    expect(existsSync(join(target, 'overwritten'))).toBe(false);
    await tsrun.ok('cp', `${name}:/out`, here(`link-${name}`));
    expect(lstatSync(here(`link-${name}`)).isSymbolicLink()).toBe(true);
  });
});

describe('owners', () => {
  it('the copy belongs to root of the container; with -a to whom the archive says; outside to the user', async () => {
    await tsrun.ok('exec', 'live', 'sh', '-c', 'mkdir /o; echo x > /o/f; chown 1000:1001 /o/f');
    await tsrun.ok('cp', 'live:/o', 'still:/o');
    await tsrun.ok('cp', '-a', 'live:/o', 'still:/kept');
    await tsrun.ok('cp', '-a', 'still:/o', 'live:/o1');
    await tsrun.ok('cp', '-a', 'still:/kept', 'live:/o2');
    expect(await listing('live', '/o1')).toContain('./f regular file 644 0:0');
    expect(await listing('live', '/o2')).toContain('./f regular file 644 1000:1001');
    await tsrun.ok('cp', 'live:/o', here('o'));
    expect(statSync(here('o', 'f')).uid).toBe(process.getuid?.());
  });

  it('with a user namespace of its own, the copy belongs to its root', async () => {
    await tsrun.ok(
      'run',
      '-d',
      '--init',
      '--userns=keep-id',
      '--network',
      'none',
      '--name',
      'kept',
      IMAGE,
      'sleep',
      '1000',
    );
    await tsrun.ok('cp', here('tree', 'file'), 'kept:/in');
    expect(await tsrun.ok('exec', 'kept', 'stat', '-c', '%u:%g', '/in')).toBe('0:0');
    await tsrun.ok('cp', 'kept:/in', here('from-kept'));
    await tsrun.ok('rm', '-f', 'kept');
  });
});

describe('a container that runs', () => {
  it('what is mounted in it is reached, and a mounted file is written in place', async () => {
    await tsrun.ok('cp', here('tree', 'file'), 'live:/mem/x');
    expect(await tsrun.ok('exec', 'live', 'cat', '/mem/x')).toBe('content of file');
    await tsrun.ok('cp', here('tree', 'file'), 'live:/etc/hosts');
    expect(await tsrun.ok('exec', 'live', 'cat', '/etc/hosts')).toBe('content of file');
  });

  it('what was copied while it did not run is there when it does', async () => {
    expect(await tsrun.ok('start', '-a', 'still')).toContain('/vol/in-volume');
  });

  it('a directory that is exchanged for a link again and again never leads out (AC-7.8)', async () => {
    const outside = here('outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'prey'), 'untouched');
    const flip = `mkdir /a; ln -s ${outside} /b; while :; do mv /a /t; mv /b /a; mv /t /b; mv /a /t; mv /b /a; mv /t /b; done`;
    await tsrun.ok('exec', '-d', 'live', 'sh', '-c', flip);
    for (let i = 0; i < 8; i++) {
      const into = i % 2 === 0;
      await tsrun.run(
        into ? ['cp', here('tree', 'file'), 'live:/a/prey'] : ['cp', 'live:/a/prey', here('caught')],
      );
    }
    expect(readFileSync(join(outside, 'prey'), 'utf8')).toBe('untouched');
    expect(readdirSync(outside)).toEqual(['prey']);
    if (existsSync(here('caught'))) expect(readFileSync(here('caught'), 'utf8')).not.toBe('untouched');
  });
});
