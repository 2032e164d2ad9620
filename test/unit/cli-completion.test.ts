import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { complete, type Kind } from '../../src/cli/completion/candidates.ts';
import { SCRIPTS } from '../../src/cli/completion/scripts.ts';

const STORE: Record<Kind, string[]> = {
  container: ['web', 'worker', 'db'],
  image: ['busybox', 'localhost:5000/app:v2'],
  volume: ['data'],
  network: ['private', 'host'],
};

/** What may stand at the end of `line`, where `|` is not written: the last word is being typed. */
async function at(...words: string[]): Promise<string[]> {
  const { candidates, files } = await complete(words, (kind) => Promise.resolve(STORE[kind]));
  return [...candidates.map(({ text }) => text), ...(files ? [':files'] : [])];
}

describe('completion of', () => {
  it('commands, groups and what is in them', async () => {
    expect(await at('sta')).toContain('start');
    expect(await at('volu')).toEqual(['volume']);
    expect(await at('volume', 'pr')).toEqual(['prune']);
    expect(await at('container', 'l')).toEqual(expect.arrayContaining(['ls', 'logs']));
    expect(await at('no-such-command', '')).toEqual([]);
  });

  it('options, global ones and a command’s', async () => {
    expect(await at('--log')).toEqual(['--log-level']);
    expect(await at('run', '--hostn')).toEqual(['--hostname']);
    expect(await at('--root', '/x', 'run', '--hostn')).toEqual(['--hostname']);
    expect(await at('container', 'run', '--hostn')).toEqual(['--hostname']);
  });

  it('names that there are, where the usage says so', async () => {
    expect(await at('stop', 'w')).toEqual(['web', 'worker']);
    expect(await at('stop', 'web', '')).toEqual(STORE.container);
    expect(await at('stop', '--time', '5', 'd')).toEqual(['db']);
    expect(await at('rmi', 'local')).toEqual(['localhost:5000/app:v2']);
    expect(await at('run', '-it', '--rm', 'b')).toEqual(['busybox']);
    expect(await at('exec', '-it', 'w')).toEqual(['web', 'worker']);
    expect(await at('volume', 'rm', '')).toEqual(['data']);
    expect(await at('image', 'rm', 'b')).toEqual(['busybox']);
    expect(await at('inspect', 'd')).toEqual(expect.arrayContaining(['db', 'data']));
  });

  it('values of options', async () => {
    expect(await at('run', '--env-file', '')).toEqual([':files']);
    expect(await at('run', '--rm=t')).toEqual(['--rm=true']);
    expect(await at('run', '-v', '')).toEqual([':files']);
  });

  it('nothing of tsrun after the image: that is the container’s command line', async () => {
    expect(await at('run', 'busybox', '--hostn')).toEqual([':files']);
    expect(await at('exec', 'web', 'w')).toEqual([':files']);
  });
});

describe('the scripts', () => {
  it('bash asks with the words up to the cursor, and keeps what it has broken off at a colon', () => {
    const harness = `
      exec 3>&2
      fake() { printf '%s|' "$@" >&3; printf 'localhost:5000/app:v2\\tan image\\n:files\\n'; }
      ${SCRIPTS.bash.replace(/"\$\{words\[0\]\}" completion/, 'fake completion')}
      compopt() { echo "option $2"; }
      COMP_LINE='tsrun run localhost:5000/a and more' COMP_POINT=26
      _tsrun
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync('bash', ['-c', harness], { encoding: 'utf8' });
    expect([status, stdout, stderr]).toEqual([
      0,
      'option default\n5000/app:v2\n',
      'completion|words|--|run|localhost:5000/a|',
    ]);
  });

  it.each(['bash', 'zsh', 'fish'] as const)('%s can read its own', (shell) => {
    if (spawnSync(shell, ['-c', 'true']).status !== 0) return;
    execFileSync(shell, ['-n'], { input: SCRIPTS[shell] });
  });
});
