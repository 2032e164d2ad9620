/** `tsrun image mount` and `tsrun mount`, in `tsrun unshare` and outside of it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { imageOf, tarOf, writeLayout } from '../support/image-fixture.ts';
import { BINARY, useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const tsrun = useTsrun();
const inside = (script: string): Promise<string> =>
  tsrun.ok('unshare', 'sh', '-ec', script.replaceAll('tsrun', BINARY));

beforeAll(async () => {
  const layout = join(tsrun.store.directory, 'layout');
  const layers = [
    await tarOf({ lower: 'below', 'etc/both': 'old' }),
    await tarOf({ upper: 'above', 'etc/both': 'new', '.wh.gone': '' }),
  ];
  writeLayout(layout, [{ image: imageOf(layers), name: 'localhost/two:1' }]);
  await tsrun.ok('load', '-qi', layout);
  await tsrun.ok('run', '--rm', '--network', 'none', 'localhost/busybox', 'true');
});

it('shows an image’s tree, read-only, and takes it away again', async () => {
  const script = `
    place=$(tsrun image mount two:1)
    cat $place/lower $place/upper $place/etc/both; echo
    touch $place/new 2>/dev/null || echo read-only
    test "$(tsrun image mount two:1)" = $place
    tsrun image mount
    tsrun image mount --format json | tr -d '\n'; echo
    tsrun image unmount two:1
    tsrun image mount --format json
    tsrun image mount
    ls $place 2>/dev/null || echo gone`;
  const id = await tsrun.ok('image', 'inspect', '-f', '{{.Id}}', 'two:1');
  const place = join(tsrun.store.root, 'mounts', id.slice('sha256:'.length));
  // As `podman image mount --format json` has it.
  const row = {
    id: id.slice('sha256:'.length),
    Names: [await tsrun.ok('image', 'inspect', '-f', '{{.Digest}}', 'two:1')],
    Repositories: ['localhost/two:1'],
    mountpoint: place,
  };
  expect((await inside(script)).split('\n')).toEqual([
    'belowabovenew',
    'read-only',
    `localhost/two:1 ${place}`,
    expect.toSatisfy((line: string) => isDeepStrictEqual(JSON.parse(line), [row])),
    id.slice('sha256:'.length),
    '[]',
    'gone',
  ]);
  expect(readdirSync(join(tsrun.store.root, 'mounts'))).toEqual([]);
});

it('of one layer, and of all images', async () => {
  const said = await inside(
    'tsrun image mount -a | while read name place; do ls $place >/dev/null; echo $name; done; tsrun image umount -a',
  );
  expect(said.split('\n').slice(0, 2).sort()).toEqual(['localhost/busybox:latest', 'localhost/two:1']);
  expect(said.split('\n')).toHaveLength(4);
});

it('is in use as long as it is mounted', async () => {
  const words = `${BINARY} image mount two:1 >/dev/null && echo mounted && cat; ${BINARY} image unmount two:1`;
  const inside = tsrun.start(['unshare', 'sh', '-c', words], { keepInputOpen: true });
  let said = '';
  inside.child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until('the mount', () => said.includes('mounted'));
  expect((await tsrun.expect(2, ['rmi', 'two:1'])).stderr).toMatch(/image localhost\/two:1 is mounted/);
  await tsrun.ok('image', 'prune', '-a', '-f');
  await tsrun.expect(0, ['image', 'exists', 'two:1']);
  inside.child.stdin?.end();
  await inside.ended;
});

it('is refused outside, with a line to paste that works', async () => {
  const { stderr } = await tsrun.expect(125, ['image', 'mount', 'two:1']);
  expect(stderr).toMatch(
    /works only in the namespaces of the containers\nhint: tsrun unshare sh -c 'cd \$\(tsrun image mount two:1\) && ls'\n/,
  );
  const pasted = await tsrun.ok('unshare', 'sh', '-c', `cd $(${BINARY} image mount two:1) && ls`);
  expect(pasted).toBe('etc\nlower\nupper');
});

it('leaves nothing that `system reset` does not know: its directory kept the whole store there', async () => {
  await inside('tsrun image mount two:1; tsrun image unmount two:1');
  expect((await tsrun.expect(0, ['system', 'reset', '-f'])).stderr).toBe('');
  expect(existsSync(tsrun.store.root)).toBe(false);
});

it('shows what a container has made of its image, stopped or running, read-only', async () => {
  const write = ['sh', '-c', 'echo mine >/mine; rm /bin/vi; exec sleep 1000'];
  const words = [
    'run',
    '-d',
    '--network',
    'none',
    '--name',
    'seen',
    '-v',
    'v:/data',
    'localhost/busybox',
    ...write,
  ];
  const id = await tsrun.ok(...words);
  await until('it has written', async () => (await tsrun.ok('diff', 'seen')).includes('D /bin/vi'));
  const script = `
    place=$(tsrun mount seen)
    cat $place/mine
    ls $place/bin/vi 2>/dev/null || echo deleted
    touch $place/new 2>/dev/null || echo read-only
    tsrun mount
    tsrun umount seen
    tsrun mount
    ls $place 2>/dev/null || echo gone`;
  const place = join(tsrun.store.root, 'mounts', id);
  const said = ['mine', 'deleted', 'read-only', `${id} ${place}`, id, 'gone'];
  expect((await inside(script)).split('\n')).toEqual(said);
  await tsrun.ok('stop', '-t', '0', 'seen');
  expect((await inside(script)).split('\n')).toEqual(said);
  expect(await inside('tsrun mount -a | wc -l; tsrun umount -l')).toBe(`1\n${id}`);
  // Each is tried, whatever became of those before it.
  expect(
    await inside('tsrun mount no-such seen 2>/dev/null || echo $?; tsrun umount no-such seen || true'),
  ).toBe(`${id} ${place}\n125\n${id}`);
  await inside('tsrun mount seen'); // and its namespace ends
  expect(existsSync(place)).toBe(true);
  expect(await inside('tsrun umount -a')).toBe(''); // nothing was mounted, and the directory is gone
  expect(existsSync(place)).toBe(false);
  await inside('tsrun mount seen');
  await tsrun.ok('rm', 'seen');
  expect(existsSync(place)).toBe(false);
  expect((await inside('tsrun mount -l 2>&1 || echo $?')).split('\n')).toEqual(
    expect.arrayContaining([expect.stringContaining('there is no container'), '125']),
  );
  const outside = await tsrun.expect(125, ['mount', 'seen']);
  expect(outside.stderr).toContain("hint: tsrun unshare sh -c 'cd $(tsrun mount seen) && ls'");
  for (const words of ['mount -a', 'umount -f -a', 'image mount -a', 'image unmount -f two:1']) {
    const { stderr } = await tsrun.expect(125, words.split(' '));
    expect(stderr).toContain(`hint: tsrun unshare tsrun ${words}\n`);
  }
});

it('names the store to what runs in tsrun unshare', async () => {
  expect(await inside('echo $CONTAINERS_GRAPHROOT $CONTAINERS_RUNROOT')).toBe(
    `${tsrun.store.root} ${tsrun.store.runtime}`,
  );
});
