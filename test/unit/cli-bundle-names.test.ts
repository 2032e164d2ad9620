import { describe, expect, it } from 'vitest';
import { bundleNames, OPTIONS_WITH_VALUE } from '../../src/cli/bundle-names.ts';
import { GLOBAL_OPTIONS } from '../../src/cli/options/global-options.ts';

// `tsrun --root DIR run` was run from the bundle of all commands, which took 40 ms more than `tsrun run`.
describe('the bundle of a command', () => {
  it.each([
    [['run', '--rm', 'busybox'], 'tsrun.run.cjs'],
    [['--root', '/x', 'run', 'busybox'], 'tsrun.run.cjs'],
    [['--root=/x', '--debug', '--log-level', 'info', 'ps'], 'tsrun.ps.cjs'],
    [[], 'tsrun.cjs'],
    [['--version'], 'tsrun.cjs'],
    [['--root'], 'tsrun.cjs'],
    [['../x'], 'tsrun.cjs'],
  ])('of %j is %s', (words, name) => {
    expect(bundleNames('tsrun', words)[0]).toBe(name);
    expect(bundleNames('tsrun', words).at(-1)).toBe('tsrun.cjs');
  });

  it('knows which global options take a value', () => {
    const names = Object.entries(GLOBAL_OPTIONS).flatMap(([name, { kind }]) =>
      kind === 'flag' ? [] : [`--${name}`],
    );
    expect([...OPTIONS_WITH_VALUE].sort()).toEqual(names.sort());
  });
});
