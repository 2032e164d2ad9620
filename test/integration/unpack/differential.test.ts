/**
 * The same layers unpacked by tsrun's worker, mounted by the kernel's overlay, and by umoci, file by file: type, mode, owner, time
 * to the nanosecond, attributes, links, content.
 *
 * umoci runs as root of the same namespaces, so that owners are real; once more with --rootless, where it records owners instead.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, lines, MANIFEST, manifestInside } from '../../support/compare-manifests.ts';
import type { ManifestLine } from '../../support/manifest.ts';
import { changeLayer, specialLayer } from '../../support/rare-layers.ts';
import { removeInside, scratchDirectory, shellInside, unpackInside } from '../../support/unpack-inside.ts';

const scratch = scratchDirectory();
/** A part of the host's /usr, as GNU tar writes it: real names, links, sizes and times. */
function hostLayer(): Buffer {
  const wanted = [
    'usr/share/perl5',
    'usr/share/bash-completion',
    'usr/lib/systemd/system',
    'etc/alternatives',
    'usr/bin/perl',
  ];
  const present = wanted.filter((path) => fs.existsSync(`/${path}`));
  expect(present.length).toBeGreaterThan(2);
  const parents = ['usr', 'usr/bin', 'usr/share', 'usr/lib', 'usr/lib/systemd', 'etc'];
  const options = [
    '-c',
    '--format=pax',
    '--pax-option=delete=atime,delete=ctime',
    '--numeric-owner',
    '-C',
    '/',
  ];
  const perl = ['usr/bin/perl5.36.0', 'usr/bin/perl5.40.1'].filter((path) => fs.existsSync(`/${path}`));
  const members = ['--no-recursion', ...parents, '--recursion', ...present, ...perl];
  return execFileSync('tar', [...options, ...members], { maxBuffer: 1 << 28 });
}

let layers: Buffer[];
let ours: ManifestLine[];

/** umoci's result: the directory of the root file system. */
async function umoci(name: string, how: 'root' | 'rootless'): Promise<string> {
  const layout = join(scratch, `${name}-layout`);
  const run = (...args: string[]) =>
    execFileSync('umoci', args, { stdio: 'pipe', env: { ...process.env, HOME: scratch } });
  run('init', '--layout', layout);
  run('new', '--image', `${layout}:image`);
  layers.forEach((layer, i) => {
    const path = join(scratch, `${name}-${i}.tar`);
    fs.writeFileSync(path, layer);
    run('raw', 'add-layer', '--image', `${layout}:image`, path);
  });
  const bundle = join(scratch, `${name}-bundle`);
  if (how === 'rootless') run('unpack', '--rootless', '--image', `${layout}:image`, bundle);
  else await shellInside(`umoci unpack --image ${layout}:image ${bundle} >&2`);
  return join(bundle, 'rootfs');
}

beforeAll(async () => {
  layers = [hostLayer(), specialLayer(), changeLayer()];
  const { directories } = await unpackInside(scratch, layers);
  const merged = join(scratch, 'merged');
  fs.mkdirSync(merged);
  ours = lines(
    await shellInside(
      `mount -t overlay overlay -o userxattr,lowerdir=${directories.join(':')} ${merged}; ${process.execPath} ${MANIFEST} ${merged}`,
    ),
  );
});
afterAll(() => removeInside(scratch));

test('equals what umoci unpacks as root', async () => {
  const theirs = await manifestInside(await umoci('root', 'root'));
  // A minimal Debian has 365 of them.
  expect(ours.length).toBeGreaterThan(300);
  expect(differences(ours, theirs)).toEqual([]);
});

test('equals what umoci --rootless unpacks, owners aside', async () => {
  const theirs = await manifestInside(await umoci('rootless', 'rootless'));
  const comparable = ({ owner: _owner, xattrs, ...rest }: ManifestLine) => ({
    ...rest,
    xattrs: xattrs.filter((line) => /^user\.(?!rootlesscontainers)/.test(line)),
  });
  expect(differences(ours.map(comparable), theirs.map(comparable))).toEqual([]);
});
