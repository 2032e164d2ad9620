import { describe, expect, it } from 'vitest';
import { COMMANDS, GROUPED } from '../../src/cli/commands.ts';
import { chosenPlatform, platformPart } from '../../src/cli/parse/chosen-platform.ts';
import { insteadOf } from '../../src/cli/parse/not-here.ts';

describe('commands of podman and docker that tsrun has not', () => {
  const commands = ['build', 'buildx', 'manifest create', 'image build', 'image scp', 'image sign'];
  // `tsrun plugin` was told to log in, and of pods and secrets nothing was said.
  const groups = [
    'pod',
    'secret',
    'kube',
    'play',
    'generate kube',
    'network update',
    'plugin',
    'compose',
    'swarm',
  ];
  it.each([...commands, ...groups, 'system migrate', 'system renumber', 'system service'])(
    '%s: what to do instead',
    (name) => {
      expect(insteadOf(name)).toMatch(/\w/);
      const [group = '', verb = ''] = name.split(' ');
      expect(Object.hasOwn(COMMANDS, name)).toBe(false);
      expect(Object.hasOwn(GROUPED[group] ?? {}, verb)).toBe(false);
    },
  );
  it('nothing for what nobody has', () => {
    for (const name of ['constructor', 'image', 'nonsense']) expect(insteadOf(name)).toBeUndefined();
  });
});

describe('the parts of a platform', () => {
  const none = { platform: undefined, os: undefined, arch: undefined, variant: undefined };
  it('make one, with what this machine is', () => {
    expect(chosenPlatform(none)).toBeUndefined();
    expect(chosenPlatform({ ...none, platform: 'linux/arm64' })).toBe('linux/arm64');
    expect(chosenPlatform({ ...none, arch: 'aarch64' })).toBe('linux/arm64');
    expect(chosenPlatform({ ...none, arch: 'arm', variant: 'v6' })).toBe('linux/arm/v6');
    expect(chosenPlatform({ ...none, os: 'windows', arch: 'amd64' })).toBe('windows/amd64');
    const own = chosenPlatform({ ...none, os: 'linux' });
    expect(own).toMatch(/^linux\/(amd64|arm64)$/);
  });
  it('contradict a whole one, and are no several', () => {
    expect(() => chosenPlatform({ ...none, platform: 'linux/arm64', arch: 'arm64' })).toThrow(/contradict/);
    expect(() => platformPart('--arch')('linux/arm64')).toThrow(/--arch linux\/arm64: not a part/);
  });
});
