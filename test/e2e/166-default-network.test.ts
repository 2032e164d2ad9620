/** The network of containers for which none is asked: the user's configuration names it, and gives way where it cannot be. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onPoorerMachine } from '../support/poorer-machine.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const ADDRESS = ['sh', '-c', 'ip -4 -o address show scope global'];

const configure = (text: string): void => {
  const directory = join(tsrun.store.env.XDG_CONFIG_HOME ?? '', 'tsrun');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'config.toml'), text);
};

describe('config.toml', () => {
  it('makes the bridge the default, which --network overrides', async () => {
    configure('network = "bridge"\n');
    const bridged = await tsrun.expect(0, ['run', '--rm', IMAGE, ...ADDRESS]);
    expect(bridged.stdout).toMatch(/eth0 +inet 10\.9\d\./);
    const none = await tsrun.expect(0, ['run', '--rm', '--network', 'none', IMAGE, ...ADDRESS]);
    expect(none.stdout).toBe('');
    const explained = await tsrun.expect(0, ['explain', 'run', IMAGE]);
    expect(explained.stdout).toContain('type bridge');
  });

  it('what a container got when it was created stays its network', async () => {
    configure('network = "bridge"\n');
    await tsrun.expect(0, ['create', '--name', 'kept', IMAGE, ...ADDRESS]);
    configure('network = "none"\n');
    expect((await tsrun.expect(0, ['start', '-a', 'kept'])).stdout).toMatch(/inet 10\.9\d\./);
  });

  it('gives way to a private network where bridges have no way out; --network bridge does not', async () => {
    configure('network = "bridge"\n');
    // A shebang that exits: slirp4netns is there, and does not run.
    const lack = { replaced: { '/usr/bin/slirp4netns': 'echo broken >&2; exit 1' } };
    const { stderr } = await onPoorerMachine(tsrun, lack, `$T run --rm ${IMAGE} true`);
    expect(stderr.match(/no bridge network: slirp4netns: .*/g), stderr).toHaveLength(1);
    const asked = await onPoorerMachine(tsrun, lack, `$T run --rm --network bridge ${IMAGE} true`);
    expect(asked.stderr).not.toContain('no bridge network');
    expect(asked.stderr).toContain('the bridge has no way out');
  });

  it('is refused by file and line when it says what nobody reads', async () => {
    configure('network = "bridge"\ncolor = "red"\n');
    const { stderr } = await tsrun.expect(125, ['run', '--rm', IMAGE, 'true']);
    expect(stderr).toContain('tsrun/config.toml:2: "color" is not one of its keys');
    // Who says which network it is needs no default.
    await tsrun.expect(0, ['run', '--rm', '--network', 'none', IMAGE, 'true']);
  });
});
