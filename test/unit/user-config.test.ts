/** The user's configuration: what it may say, and where it is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readUserConfig } from '../../src/engine/user-config.ts';
import { userConfigPath } from '../../src/engine/user-config-path.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsrun-config-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const read = (text: string) => {
  const file = join(directory, 'config.toml');
  writeFileSync(file, text);
  return readUserConfig(file);
};

describe('userConfigPath', () => {
  it('is in $XDG_CONFIG_HOME, else in ~/.config', () => {
    expect(userConfigPath({ HOME: '/h', XDG_CONFIG_HOME: '/x' })).toBe('/x/tsrun/config.toml');
    expect(userConfigPath({ HOME: '/h', XDG_CONFIG_HOME: '' })).toBe('/h/.config/tsrun/config.toml');
  });
});

describe('readUserConfig', () => {
  it('takes what --network takes', async () => {
    expect(await read('network = "bridge" # mine\n')).toEqual({ network: 'bridge' });
    expect(await read("network = 'front,back'")).toEqual({ network: 'front,back' });
    expect(await read('# nothing\n')).toEqual({});
  });

  it('takes limits of layers', async () => {
    const text = '[limits]\nratio = 1000\nentries = 5\npath-length = 100\ndepth = 3\nlayer-size = "1.5g"\n';
    expect(await read(text)).toEqual({
      limits: { maxRatio: 1000, maxEntries: 5, maxPathLength: 100, maxDepth: 3, maxBytes: 1.5 * 2 ** 30 },
    });
    expect(await read('network = "none"\n[limits]\nlayer-size = 2048')).toEqual({
      network: 'none',
      limits: { maxBytes: 2048 },
    });
  });

  it.each([
    ['[limits]\nfiles = 5\n', ':1: limits: "files" is not one of its keys (entries, ratio,'],
    ['limits = 5\n', ':1: limits: a table is expected'],
    ['[limits]\nratio = 0\n', ':1: limits: ratio: a whole number from 1 on'],
    ['[limits]\nratio = 1.5\n', ':1: limits: ratio: a whole number'],
    ['[limits]\nentries = "5"\n', ':1: limits: entries: a whole number'],
    ['[limits]\nlayer-size = "much"\n', 'layer-size: a whole number from 1024 on is expected, or "100g"'],
    ['network = "bridge"\ncolour = "red"\n', ':2: "colour" is not one of its keys'],
    ['\n\n[engine]\nnetwork = "bridge"\n', ':3: "engine" is not one of its keys'],
    ['network = 5\n', ':1: network: a text is expected'],
    ['network = ""\n', ':1: network: a text is expected'],
    ['# x\nnetwork = "private:mtu=5"\n', ':2: network: --network private:mtu=5: private takes no options'],
    ['network = "bridge"\nnetwork = \n', ':2: it is not TOML'],
    ['"net\\u0077ork" = "host:x"\n', 'config.toml: network: --network host:x'],
  ])('refuses %j', async (text, problem) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'ERR_TSRUN_CONFIG',
      message: expect.stringContaining(problem),
    });
  });
});
