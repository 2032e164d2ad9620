/**
 * kill -9 at random instants of the life of a container with a published port (issue of every engine with more than one process: AC-3.3,
 * AC-4.1, AC-4.3): of the command line, the supervisor, the init, whatever publishes the port or connects the network, or of all of them
 * at once, while a container is started, stopped, restarted, removed, or something is executed in it. Afterwards `ps` tells the truth or
 * that it is not known, the port is free, everything can be removed, and nothing of it is left.
 *
 * KILLS=50 says how many; each failure names what was killed when.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { processesOfStore } from '../support/leaks.ts';
import { canListen, freePort } from '../support/ports.ts';
import { expectNoLeftovers } from '../support/store.ts';
import { type Tsrun, useTsrun } from '../support/tsrun.ts';
import { until } from '../support/until.ts';

const KILLS = Number(process.env.KILLS ?? 200);
const IMAGE = 'localhost/busybox';
/** A server on port 80 that ends with 7 when it is asked to. */
const SERVER = ['sh', '-c', 'trap "exit 7" TERM; httpd -p 80; while :; do sleep 0.02; done'];

const tsrun = useTsrun();

const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;

/** Who is killed: command lines that are matched. The init is known by its command. */
const VICTIMS: Readonly<Record<string, RegExp>> = {
  'command line': /tsrun\.cjs/,
  supervisor: /^tsrun-supervisor/,
  init: /^sh -c trap/,
  forwarder: /^tsrun-forward/,
  hub: /^tsrun-hub/,
  outward: /^tsrun-outward/,
  'network helper': /pas(ta|st)|^\S*slirp4netns/,
  everything: /./,
};

const NETWORKS = ['pasta', 'slirp4netns', 'private', 'bridge'];
/** Where the victim is needed, if not everywhere. */
const NETWORKS_OF: Readonly<Record<string, readonly string[]>> = {
  forwarder: ['private', 'bridge'],
  hub: ['bridge'],
  outward: ['bridge'],
};

/** What goes on meanwhile, and how the container may have ended by it. */
const ACTIVITIES: Readonly<
  Record<string, { words(web: readonly string[]): readonly string[]; asked: boolean }>
> = {
  run: { words: (web) => web, asked: false },
  exec: { words: () => ['exec', 'web', 'sh', '-c', 'exit 3'], asked: false },
  stop: { words: () => ['stop', 'web'], asked: true },
  restart: { words: () => ['restart', 'web'], asked: true },
  rm: { words: () => ['rm', '-f', 'web'], asked: true },
};

function killNow(victim: string): string[] {
  const found = processesOfStore(tsrun.store.directory).filter(({ command }) =>
    VICTIMS[victim]?.test(command),
  );
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended meanwhile, or is the init of a namespace of somebody else's ids
    }
  }
  return found.map(({ command }) => command);
}

/** What may be said of `web` after such a kill. */
function truths(victim: string, asked: boolean): RegExp {
  const known = [...(asked ? ['7'] : []), ...(/init|everything/.test(victim) || asked ? ['137'] : [])];
  const exits = known.map((code) => `exited ${code} true`);
  return new RegExp(
    `^(${['', 'created 0 \\S+', 'running 0 true', 'exited <nil> false', ...exits].join('|')})$`,
  );
}

async function look(of: Tsrun): Promise<string> {
  const listed = await of.expect(0, ['ps', '-a', '--format', '{{.Names}}']);
  expect(listed.stderr).toBe('');
  if (listed.stdout === '') return '';
  const format = '{{.State.Status}} {{.State.ExitCode}} {{.State.ExitKnown}}';
  const { status, stdout } = await of.run(['inspect', '--format', format, 'web']);
  return status === 0 ? stdout.trim() : ''; // it may have gone meanwhile
}

it(`${KILLS} times`, { timeout: 3_600_000 }, async () => {
  await tsrun.ok('run', '--rm', '--network', 'none', IMAGE, 'true');
  const durations = new Map<string, number>();
  let hits = 0;
  for (let i = 0; i < KILLS; i++) {
    const victim = Object.keys(VICTIMS)[i % Object.keys(VICTIMS).length]!;
    const [network, activity] = [pick(NETWORKS_OF[victim] ?? NETWORKS), pick(Object.keys(ACTIVITIES))];
    const port = await freePort();
    const web = [
      'run',
      '-d',
      '--name',
      'web',
      '--network',
      network,
      '-p',
      `127.0.0.1:${port}:80`,
      IMAGE,
      ...SERVER,
    ];
    const { words, asked } = ACTIVITIES[activity]!;
    if (activity !== 'run') await tsrun.ok(...web);
    const begin = performance.now();
    const { ended } = tsrun.start(words(web));
    const delay = Math.random() * (durations.get(activity) ?? 300) * 1.2;
    await sleep(delay);
    const killed = killNow(victim);
    const { status, stderr } = await ended;
    if (killed.length > 0) hits++;
    else durations.set(activity, performance.now() - begin);
    const story = `${i}: ${activity} with ${network}, after ${Math.round(delay)} ms killed ${victim} (${killed.length}); status ${status} ${stderr}`;
    try {
      await until('the truth', async () => truths(victim, asked).test(await look(tsrun))).catch(async () =>
        expect(await look(tsrun)).toMatch(truths(victim, asked)),
      );
      await tsrun.ok('rm', '-f', 'web');
      await until('the port is free', () => canListen(port, '127.0.0.1'));
      const left = () => processesOfStore(tsrun.store.directory);
      await until('nothing of it runs', () => left().length === 0).catch(() => expect(left()).toEqual([]));
      await expectNoLeftovers(tsrun.store);
      expect((await tsrun.expect(0, ['system', 'check', '--quick'])).stdout).toMatch(/: no damage\n$/);
    } catch (error) {
      throw new Error(`${story}\n${(error as Error).message}`, { cause: error });
    }
  }
  expect(hits).toBeGreaterThan(KILLS / 3);
});
