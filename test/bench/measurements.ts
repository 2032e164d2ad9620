/** What is measured, and against which budget. */
import { firstAnswer } from './answer.ts';
import type { Budget } from './budgets.ts';
import { containerEnd } from './end.ts';
import type { Engine, EngineName } from './engine.ts';

/**
 * When in a round: `alone` while the engine runs no container, `beside` while it runs {@link HOLDER}, `stop` when that one is stopped.
 */
export type Moment = 'alone' | 'beside' | 'stop';

export interface Measurement {
  name: string;
  title: string;
  moment: Moment;
  budgets: readonly Budget[];
  /** Absent: all engines. */
  engines?: readonly EngineName[];
  /** One sample in milliseconds. @throws CommandFailure */
  sample(engine: Engine, scratch: string): Promise<number>;
}

/** The container that runs while others are measured. It ends at once when it is told to, and has written a line. */
export const HOLDER = 'tsrun-bench-holder';
export const HOLDER_COMMAND = ['sh', '-c', 'trap "exit 0" TERM; echo started; sleep 100000 & wait'];

export async function startHolder(engine: Engine): Promise<void> {
  const words = ['run', '-d', '--name', HOLDER, '--network', 'none', engine.reference('busybox')];
  await engine.run(...words, ...HOLDER_COMMAND);
}

export async function removeHolder(engine: Engine): Promise<void> {
  await engine.run('rm', '-f', HOLDER);
}

const command =
  (words: (engine: Engine) => readonly string[]): Measurement['sample'] =>
  async (engine) =>
    (await engine.run(...words(engine))).ms;

const RUN_TRUE = command((engine) => [
  ...['run', '--rm', '--network', 'none', engine.reference('busybox'), 'true'],
]);

/** "of our own" is what is above Node's own start. */
const OWN: Budget = { kind: 'node', plusMs: 8 };

function look(name: string, ...words: string[]): Measurement {
  return { name, title: `\`${name}\``, moment: 'beside', budgets: [OWN], sample: command(() => words) };
}

export const MEASUREMENTS: readonly Measurement[] = [
  {
    name: 'run-joining',
    title: '`run --rm --network none busybox true`, joining',
    moment: 'beside',
    budgets: [
      { kind: 'node', plusMs: 14 },
      { kind: 'podman5', part: 0.5 },
    ],
    sample: RUN_TRUE,
  },
  {
    name: 'run-creating',
    title: '… creating the namespaces',
    moment: 'alone',
    budgets: [
      { kind: 'node', plusMs: 20 },
      { kind: 'podman5', part: 0.5 },
    ],
    sample: RUN_TRUE,
  },
  {
    name: 'run-network',
    title: '… default network',
    moment: 'beside',
    budgets: [{ kind: 'podman5', part: 0.5 }],
    sample: command((engine) => ['run', '--rm', engine.reference('busybox'), 'true']),
  },
  {
    name: 'answer',
    title: '`run -d -p` to the first HTTP answer (Apache)',
    moment: 'beside',
    budgets: [{ kind: 'podman5', part: 0.5 }],
    sample: firstAnswer,
  },
  {
    name: 'exec',
    title: '`exec true`',
    moment: 'beside',
    budgets: [{ kind: 'podman5', part: 0.4 }],
    sample: command(() => ['exec', HOLDER, 'true']),
  },
  look('ps', 'ps'),
  look('logs', 'logs', HOLDER),
  look('inspect', 'inspect', HOLDER),
  {
    name: 'stop',
    title: '`stop`',
    moment: 'stop',
    budgets: [{ kind: 'node', plusMs: 8, besides: 'end' }],
    sample: command(() => ['stop', HOLDER]),
  },
  {
    name: 'end',
    title: '(a container’s own end, part of `stop`)',
    moment: 'beside',
    budgets: [],
    engines: ['tsrun'],
    sample: containerEnd,
  },
];
