/**
 * Files of layers that are not mounted. Each layer was looked at by itself: with /etc/passwd as a link into another layer the image had no
 * users, and what a layer had removed or hidden was read all the same, so that `--user daemon` was somebody whom the container does not know.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeHost } from '../../src/image/unpack/native-host.ts';
import { findInLayers, OPAQUE_XATTR } from '../../src/rootfs/find-in-layers.ts';
import { readInLayers } from '../../src/rootfs/read-in-layers.ts';

/** What a layer holds: a text is a file, `→ x` a link, `-` a whiteout, `/` a directory, `!` an opaque one. */
type Layer = Record<string, string>;

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'tsrun-layers-'));
});
afterAll(() => rmSync(base, { recursive: true }));

function make(layer: Layer): string {
  const directory = mkdtempSync(join(base, 'layer-'));
  for (const [name, what] of Object.entries(layer)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    if (what === '-') execFileSync('mknod', [path, 'c', '0', '0']);
    else if (what === '/' || what === '!') mkdirSync(path, { recursive: true });
    else if (what.startsWith('→ ')) symlinkSync(what.slice(2), path);
    else writeFileSync(path, what);
    if (what === '!') nativeHost.setXattr(path, OPAQUE_XATTR, Buffer.from('y'));
  }
  return directory;
}

describe('/etc/passwd of', () => {
  it.each<[what: string, text: string | undefined, ...layers: Layer[]]>([
    ['the layer below', 'low', { 'etc/group': 'g' }, { 'etc/passwd': 'low' }],
    ['the layer on top', 'top', { 'etc/passwd': 'top' }, { 'etc/passwd': 'low' }],
    ['a link into the layer below', 'low', { 'etc/passwd': '→ ../nix/passwd' }, { 'nix/passwd': 'low' }],
    ['an absolute link into the layer above', 'up', { 'nix/p': 'up' }, { 'etc/passwd': '→ /nix/p' }],
    ['an /etc that is a link', 'low', { etc: '→ usr/etc' }, { 'usr/etc/passwd': 'low', 'etc/passwd': 'no' }],
    [
      'a link that leads nowhere',
      undefined,
      { 'etc/passwd': '→ /proc/self/environ' },
      { 'etc/passwd': 'low' },
    ],
    ['a link out of the tree', 'in', { 'etc/passwd': '→ ../../../../x' }, { x: 'in' }],
    ['links in a circle', undefined, { 'etc/passwd': '→ group' }, { 'etc/group': '→ passwd' }],
    ['a layer that removed it', undefined, { 'etc/passwd': '-' }, { 'etc/passwd': 'low' }],
    ['a layer that removed /etc', undefined, { etc: '-' }, { 'etc/passwd': 'low' }],
    [
      'a layer that removed it, and one that made it again',
      'new',
      { 'etc/passwd': 'new' },
      { 'etc/passwd': '-' },
    ],
    ['a layer that hides what is in /etc', undefined, { etc: '!' }, { 'etc/passwd': 'low' }],
    [
      'an opaque directory',
      'mid',
      { 'etc/x': '' },
      { etc: '!', 'etc/passwd': 'mid' },
      { 'etc/passwd': 'low' },
    ],
    ['a file where /etc was', undefined, { etc: 'file' }, { 'etc/passwd': 'low' }],
    ['a directory', undefined, { 'etc/passwd': '/' }, { 'etc/passwd': 'low' }],
    ['one layer', 'one', { 'etc/passwd': '→ p', 'etc/p': 'one' }],
    ['no layer', undefined],
  ])('%s', (_what, text, ...layers) => {
    expect(readInLayers(layers.map(make), '/etc/passwd')).toBe(text);
  });

  it('many links: as many as the kernel follows', () => {
    const chain = (length: number): Layer =>
      Object.fromEntries(Array.from({ length }, (_, i) => [`l${i}`, i === 0 ? 'end' : `→ l${i - 1}`]));
    const layers = [make({ other: '' }), make(chain(50))];
    expect(findInLayers(layers, '/l40')).toBe(`${layers[1]}/l0`);
    expect(findInLayers(layers, '/l41')).toBe(undefined);
  });
});
