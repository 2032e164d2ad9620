/**
 * What a container has changed: `diff` lists it, `commit` makes an image of it that runs, with each driver of root file systems.
 * And other verbs about whole containers and volumes: rename, prune, exists, volume export and import.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onTerminal } from '../support/terminal.ts';
import { BINARY, useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const run = (...words: string[]): Promise<string> => tsrun.ok('run', '--network', 'none', ...words);
const CHANGE =
  'echo new > /new; mkdir /dir; touch /dir/x; chown 1000:1001 /dir/x; chmod 4755 /dir/x; echo more >> /etc/passwd; rm /etc/group; ln /new /hard';

describe.each(['overlay', 'fuse-overlayfs', 'copy'])('with the driver %s', (driver) => {
  it('diff lists what was added, changed and deleted', async () => {
    await run('--storage-driver', driver, '--name', driver, IMAGE, 'sh', '-c', CHANGE);
    if (driver === 'copy') {
      expect((await tsrun.expect(125, ['diff', driver])).stderr).toContain('full copy');
      return;
    }
    const changes = (await tsrun.ok('diff', '--latest')).split('\n');
    expect(changes).toEqual(
      expect.arrayContaining([
        'A /dir',
        'A /dir/x',
        'A /hard',
        'A /new',
        'C /etc',
        'C /etc/passwd',
        'D /etc/group',
      ]),
    );
    expect(changes.filter((line) => /\/(proc|sys|dev|etc\/hosts)/.test(line))).toEqual([]);
    const json = JSON.parse(await tsrun.ok('diff', '--format', 'json', driver));
    expect(json.deleted).toEqual(['/etc/group']);
    expect(json.added).toContain('/dir/x');
  });

  it('commit makes an image that has it, and runs', async () => {
    const id = await tsrun.ok(
      'commit',
      '-q',
      '-m',
      'why',
      '-a',
      'me',
      '-c',
      'ENV A=1',
      '-c',
      'CMD ["cat", "/new"]',
      driver,
      `made-${driver}`,
    );
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await run('--rm', `localhost/made-${driver}`)).toBe('new');
    const script = 'stat -c "%u:%g %a" /dir/x; stat -c %h /new; tail -1 /etc/passwd; ls /etc/group; echo $A';
    const { stdout } = await tsrun.run([
      'run',
      '--rm',
      '--network',
      'none',
      `localhost/made-${driver}`,
      'sh',
      '-c',
      script,
    ]);
    expect(stdout).toBe('1000:1001 4755\n2\nmore\n1\n');
    const [image] = JSON.parse(await tsrun.ok('inspect', '--type', 'image', `localhost/made-${driver}`));
    expect(image).toMatchObject({ Author: 'me', Config: { Cmd: ['cat', '/new'] } });
  });
});

describe('commit', () => {
  it('an emptied and refilled directory hides what was in it', async () => {
    await run('--name', 'opaque', IMAGE, 'sh', '-c', 'rm -r /etc; mkdir /etc; touch /etc/mine');
    expect(await tsrun.ok('diff', 'opaque')).toContain('D /etc/passwd');
    await tsrun.ok('commit', '-q', 'opaque', 'opaque');
    expect((await run('--rm', '--no-hosts', 'localhost/opaque', 'ls', '/etc')).split('\n')).not.toContain(
      'passwd',
    );
  });

  // It spoke of "Pulling fs layer", and on a terminal the layers' lines came after the image's id.
  it('pulls nothing, and says so; the id comes last', async () => {
    await run('--name', 'told', IMAGE, 'touch', '/told');
    const { stdout } = await onTerminal([BINARY, 'commit', 'told'], { env: tsrun.store.env }).ended;
    const lines = stdout.trimEnd().split('\r\n');
    expect(lines.at(-1)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(lines.slice(0, -1).join('\n')).toMatch(/Complete/);
    expect(stdout).not.toMatch(/pull|download/i);
  });

  it('--squash makes one layer; a container that runs can be paused for it', async () => {
    await run('-d', '--init', '--name', 'running', IMAGE, 'sh', '-c', 'touch /made; sleep 1000');
    await until('its file', async () => (await tsrun.ok('diff', 'running')).includes('A /made'));
    await tsrun.ok('commit', '-q', '--pause', '--squash', 'running', 'squashed');
    const [image] = JSON.parse(await tsrun.ok('inspect', '--type', 'image', 'localhost/squashed'));
    expect(image.RootFS.Layers).toHaveLength(1);
    expect(await run('--rm', 'localhost/squashed', 'ls', '/made')).toBe('/made');
    expect(await tsrun.ok('inspect', '-f', '{{.State.Status}}', 'running')).toBe('running');
    await tsrun.ok('rm', '-f', 'running');
  });
});

describe('rename', () => {
  it('the container has the new name, and the old one is free', async () => {
    const id = await tsrun.ok('create', '--name', 'before', IMAGE);
    await tsrun.ok('rename', 'before', 'after');
    expect(await tsrun.ok('inspect', '-f', '{{.Id}}', 'after')).toBe(id);
    await tsrun.expect(1, ['container', 'exists', 'before']);
    await tsrun.expect(0, ['container', 'exists', 'after']);
    await tsrun.ok('create', '--name', 'before', IMAGE);
    expect((await tsrun.expect(125, ['rename', 'before', 'after'])).stderr).toContain('in use');
    await tsrun.expect(125, ['rename', 'before', 'no/slash']);
    await tsrun.ok('rm', 'before', 'after');
  });

  // Its supervisor freed the name that it was started under, which was somebody else's by then: `stop` did not know that one any more.
  it('a --rm container takes its last name with it, and not the one that it had', async () => {
    const long = ['sleep', '100'];
    await tsrun.ok('run', '-d', '--rm', '--init', '--network', 'none', '--name', 'first', IMAGE, ...long);
    await tsrun.ok('rename', 'first', 'second');
    const id = await tsrun.ok('run', '-d', '--init', '--network', 'none', '--name', 'first', IMAGE, ...long);
    await tsrun.ok('rm', '-f', 'second');
    expect(await tsrun.ok('inspect', '-f', '{{.Id}}', 'first')).toBe(id);
    expect(readdirSync(join(tsrun.store.root, 'names'))).not.toContain('second');
    await tsrun.ok('rm', '-f', 'first');
  });
});

describe('container prune', () => {
  it('takes those that do not run', async () => {
    const living = await run('-d', '--init', '--label', 'x', IMAGE, 'sleep', '100');
    const asked = await tsrun.expect(0, ['container', 'prune'], { input: '\n' });
    expect(asked.stdout).toBe('');
    expect(await tsrun.ok('container', 'prune', '-f', '--filter', 'label=x')).toBe('');
    expect((await tsrun.ok('container', 'prune', '-f')).split('\n').length).toBeGreaterThan(3);
    expect(await tsrun.ok('ps', '-aq', '--no-trunc')).toBe(living);
    await tsrun.ok('rm', '-f', living);
  });
});

describe('volume export and import', () => {
  it('one volume’s content becomes another’s, with owners, links and modes', async () => {
    const script =
      'cd /v; mkdir d; echo hi > d/f; ln -s f d/l; ln d/f d/h; chown 1000:1001 d/f; chmod 600 d/f; touch .wh.odd';
    await run('--rm', '-v', 'from:/v', IMAGE, 'sh', '-c', script);
    const file = join(tsrun.store.directory, 'v.tar');
    await tsrun.ok('volume', 'export', '-o', file, 'from');
    expect(statSync(file).size).toBeGreaterThan(0);
    expect(execFileSync('tar', ['-tf', file]).toString()).toContain('d/f');
    await tsrun.expect(125, ['volume', 'import', 'to', file]);
    await tsrun.ok('volume', 'create', 'to');
    await tsrun.ok('volume', 'import', 'to', file);
    await tsrun.expect(0, ['volume', 'import', 'to', '-'], { input: readFileSync(file) });
    const look = 'cd /v; stat -c "%u:%g %a %h" d/f; readlink d/l; cat d/h; ls -A';
    expect(await run('--rm', '-v', 'to:/v', IMAGE, 'sh', '-c', look)).toBe(
      '1000:1001 600 2\nf\nhi\n.wh.odd\nd',
    );
  });
});
