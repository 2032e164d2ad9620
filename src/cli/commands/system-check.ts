import type { Damage } from '../../engine/check/damage.ts';
import { defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';

/** Damage was found, and is still there. */
const STILL_DAMAGED = 125;

function describe({ object, problem, repaired, hint }: Damage): string {
  const lines = [`${object}: ${problem}`];
  if (repaired !== undefined) lines.push(`  repaired: ${repaired}`);
  if (hint !== undefined) lines.push(`  hint: ${hint}`);
  return lines.map((line) => `${line}\n`).join('');
}

export const SYSTEM_CHECK = defineCommand({
  usage: '',
  operands: [0, 0],
  text:
    'Looks at everything in the store: whether blobs have the digests of their names, whether layers are what their archives unpack to, ' +
    'whether images, containers, names and volumes are whole. Prints what is damaged; the exit status is 125 if some of it still is. ' +
    'With --repair layers are unpacked again, what images have lost is fetched again by its digest, and containers of which nothing is known any more are removed.',
  options: {
    quick: flag('Do not read the content of large files: see only what is missing or cut', { short: 'q' }),
    repair: flag('Repair what can be repaired', { short: 'r' }),
  },
  unsupported: {
    force: 'tsrun rm -f CONTAINER',
    max: 'what nothing refers to is removed by tsrun system prune',
  },
  examples: ['tsrun system check --quick', 'tsrun system check --repair'],
  async run(given, _operands, context) {
    const engine = await context.engine();
    const { checkStore } = await import('../../engine/check/check-store.ts');
    const { damages, looked } = await checkStore(engine, given);
    const counts = Object.entries(looked).map(([kind, count]) => `${count} ${kind}`);
    const left = damages.filter(({ repaired }) => repaired === undefined).length;
    const verdict =
      damages.length === 0 ? 'no damage' : `${damages.length} damaged, ${damages.length - left} repaired`;
    print(`${damages.map(describe).join('')}looked at ${counts.join(', ') || 'nothing'}: ${verdict}\n`);
    return left === 0 ? 0 : STILL_DAMAGED;
  },
});
