/**
 * Commands beside each other: `system check`, `ps` and `container prune` beside other commands. Once check called the layers of an image damaged that another command
 * was removing, and a blob that it did not find any more a bug; prune failed for a container that had been started since it looked; `commit` of
 * one that was removed meanwhile printed where in the code it was.
 */
import { expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const ROUNDS = 4;

it('no damage is told of where there is none, and nothing fails because something has gone', async () => {
  await tsrun.ok('run', '--network', 'none', '--name', 'changed', IMAGE, 'sh', '-c', 'echo x > /file');
  let isOver = false;
  const others = Promise.all([
    repeat(async (i) => {
      await tsrun.ok('tag', IMAGE, `localhost/tag:${i}`);
      await tsrun.ok('rmi', `localhost/tag:${i}`);
    }),
    repeat(async (i) => {
      await tsrun.ok('commit', '-q', 'changed', `localhost/made:${i}`);
      await tsrun.ok('rmi', `localhost/made:${i}`);
    }),
    repeat(async (i) => {
      await tsrun.ok('volume', 'create', `v${i}`);
      await tsrun.ok('run', '--rm', '--network', 'none', '--name', `c${i}`, '-v', `v${i}:/v`, IMAGE, 'true');
      await tsrun.ok('volume', 'rm', `v${i}`);
    }),
    repeat(async (i) => {
      await tsrun.ok('create', '--label', 'passing', '--network', 'none', '--name', `p${i}`, IMAGE, 'true');
      const start = await tsrun.run(['start', '-a', `p${i}`]);
      const commit = await tsrun.run(['commit', '-q', `p${i}`, `localhost/passing:${i}`]);
      for (const { status, stderr } of [start, commit])
        if (status !== 0) expect(stderr).toMatch(/^tsrun: there is no container "p\d"/);
    }),
  ]).finally(() => {
    isOver = true;
  });
  const lookers = [
    ['system', 'check'],
    ['ps', '-a'],
    ['container', 'prune', '-f', '--filter', 'label=passing'],
  ].map(async (words) => {
    while (!isOver) {
      const { status, stdout, stderr } = await tsrun.run(words);
      expect([status, stderr], `${words.join(' ')}: ${stdout}`).toEqual([0, '']);
    }
  });
  await Promise.all([others, ...lookers]);
  await tsrun.expect(0, ['system', 'check']);
});

async function repeat(work: (i: number) => Promise<void>): Promise<void> {
  for (let i = 0; i < ROUNDS; i++) await work(i);
}

// `rm -f` of a --rm container is done by two: by the command, and by the container's supervisor as it ends. 1 of 60 commands called what it did not find a bug.
it('rm -f of --rm containers, which their supervisors remove at the same time', async () => {
  const remove = async (name: string): Promise<void> => {
    for (let i = 0; i < 15; i++) {
      await tsrun.ok('run', '-d', '--rm', '--network', 'none', '--name', name, IMAGE, 'sleep', '100');
      expect(await tsrun.expect(0, ['rm', '-f', name])).toMatchObject({ stdout: `${name}\n`, stderr: '' });
    }
  };
  await Promise.all([remove('one'), remove('two')]);
});

// They stumbled over /proc/PID of the init that had just gone: "a bug in tsrun", or namespaces that could not be entered.
it('what is asked of a container that ends at this moment is answered: it has ended, or is no more', async () => {
  const commands = [
    ['exec', 'ending', 'true'],
    ['top', 'ending'],
    ['cp', 'ending:/etc/passwd', '-'],
    ['network', 'disconnect', '-f', 'bridge', 'ending'],
    ['rename', 'ending', 'ended'],
    ['stats', '--no-stream', 'ending'],
  ];
  for (const command of [...commands, ...commands]) {
    await tsrun.ok('run', '-d', '--rm', '--name', 'ending', IMAGE, 'sleep', '100');
    const [asked] = await Promise.all([tsrun.run(command), tsrun.run(['kill', 'ending'])]);
    if (![0, 137].includes(asked.status ?? -1))
      expect(asked.stderr, command.join(' ')).toMatch(
        /^tsrun: (?:there is no container|container \S+ is \w+, not running)/,
      );
    await tsrun.run(['rm', '-f', 'ending', 'ended']);
  }
});
