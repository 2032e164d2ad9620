/** What is measured, and against which budget. */
import { firstAnswer } from './answer.ts';
import type { Budget } from './budgets.ts';
import { containerEnd } from './end.ts';
import type { Engine, EngineName } from './engine.ts';
import { besideNeighbour, HOLDER } from './holder.ts';

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

const command =
  (words: (engine: Engine) => readonly string[]): Measurement['sample'] =>
  async (engine) =>
    (await engine.run(...words(engine))).ms;

const RUN_TRUE = command((engine) => [
  ...['run', '--rm', '--network', 'none', engine.reference('busybox'), 'true'],
]);

const RUN_PUBLISHING = command((engine) => ['run', '--rm', '-p', '80', engine.reference('busybox'), 'true']);

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
    name: 'run-port',
    title: '… and a published port, the first on its network',
    moment: 'beside',
    budgets: [{ kind: 'more', than: 'run-joining', plusMs: 40 }],
    sample: RUN_PUBLISHING,
  },
  {
    name: 'run-port-beside',
    title: '… beside another container on it',
    moment: 'beside',
    budgets: [{ kind: 'more', than: 'run-joining', plusMs: 10 }],
    sample: besideNeighbour(RUN_PUBLISHING),
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
