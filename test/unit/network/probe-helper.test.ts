import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flawOf, probeHelper } from '../../../src/network/probe-helper.ts';

let directory: string;
let options: { cacheFile: string; path: string; tun: string };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrun-probe-'));
  mkdirSync(join(directory, 'bin'));
  writeFileSync(join(directory, 'tun'), '');
  options = {
    cacheFile: join(directory, 'cache'),
    path: join(directory, 'bin'),
    tun: join(directory, 'tun'),
  };
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A helper that counts how often it is run. */
function install(name: string, script: string): string {
  const file = join(directory, 'bin', name);
  writeFileSync(file, `#!/bin/sh\necho >>${directory}/runs\n${script}\n`, { mode: 0o755 });
  return file;
}
const runs = (): number => readFileSync(join(directory, 'runs'), 'utf8').length;

describe('probeHelper', () => {
  it('asks for the version once, and again when the binary has changed', () => {
    const path = install('slirp4netns', 'echo slirp4netns version 1.2.0; echo more');
    const found = {
      usable: true,
      name: 'slirp4netns',
      path,
      version: 'slirp4netns version 1.2.0',
      flaw: undefined,
    };
    expect(probeHelper('slirp4netns', options)).toEqual(found);
    expect(probeHelper('slirp4netns', options)).toEqual(found);
    expect(runs()).toBe(1);
    utimesSync(path, 1, 1);
    expect(probeHelper('slirp4netns', options)).toEqual(found);
    expect(runs()).toBe(2);
  });

  it('finds the version of a pasta that says nothing into a pipe in its binary', () => {
    install('pasta', 'exit 0 # 0.0~git20250503.587980c-2');
    expect(probeHelper('pasta', options)).toMatchObject({
      version: 'pasta 0.0~git20250503.587980c-2',
      flaw: undefined,
    });
  });

  it('keeps no failure and repeats the helper’s own words', () => {
    install('pasta', 'echo libc is too old >&2; exit 127');
    const finding = probeHelper('pasta', options);
    expect(finding).toMatchObject({
      usable: false,
      reason: expect.stringContaining('does not run: libc is too old'),
    });
    install('pasta', 'echo pasta 2024_08_21.1d6142f');
    expect(probeHelper('pasta', options)).toMatchObject({ usable: true });
  });

  it('says what to install', () => {
    expect(probeHelper('pasta', options)).toMatchObject({ usable: false, hint: 'sudo apt install passt' });
  });

  it('looks at /dev/net/tun first: pasta would hang', () => {
    install('pasta', 'exit 0');
    const finding = probeHelper('pasta', { ...options, tun: join(directory, 'absent') });
    expect(finding).toMatchObject({ usable: false, hint: expect.stringContaining('modprobe tun') });
    expect(() => runs()).toThrow('ENOENT');
  });

  it('does not mind a damaged cache, or one that cannot be written', () => {
    install('slirp4netns', 'echo slirp4netns version 1.2.0');
    writeFileSync(options.cacheFile, '{"');
    expect(probeHelper('slirp4netns', options)).toMatchObject({ usable: true });
    expect(probeHelper('slirp4netns', { ...options, cacheFile: '/nonexistent/x' })).toMatchObject({
      usable: true,
    });
  });
});

it.each([
  ['pasta unknown version', true],
  ['pasta 0.0~git20230309.7c7625d-1', true],
  ['pasta 2024_07_26.57a21d2', true],
  ['pasta 2024_08_21.1d6142f', false],
  ['pasta 0.0~git20250503.587980c-2+deb13u1', false],
  ['pasta 0^20250606.g754c6d7-1.fc42', false],
])('%s has the flaw: %s', (version, isFlawed) => {
  expect(flawOf('pasta', version) !== undefined).toBe(isFlawed);
  expect(flawOf('slirp4netns', version)).toBeUndefined();
});
