/** What the benchmark was asked for. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Rounds that count; one more goes before them to warm up. */
  rounds: number;
  /** Only measurements whose name contains one of these; empty = all. */
  only: string[];
  quick: boolean;
}

export const USAGE = `npm run bench -- [OPTION…]
  --rounds N   how often each thing is measured [15]
  --only NAME  only measurements whose name contains NAME; may be repeated
  --quick      3 rounds, and neither the large image nor a hundred containers`;

const QUICK_ROUNDS = 3;
const ROUNDS = 15;

/** Throws TypeError for words that are no options. */
export function parseOptions(words: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
    },
  });
  const rounds = values.rounds === undefined ? (values.quick ? QUICK_ROUNDS : ROUNDS) : Number(values.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds ${values.rounds}: not a number`);
  return { rounds, only: values.only ?? [], quick: values.quick };
}
