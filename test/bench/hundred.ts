/** `ps` with a hundred running containers, in a store of their own. */

import type { Registry } from '../support/registry.ts';
import { removeStore, temporaryStore } from '../support/store.ts';
import { tsrunEngine } from './engine.ts';
import type { Measurement } from './measurements.ts';
import type { Room } from './room.ts';

const COUNT = 100;

export interface Hundred extends AsyncDisposable {
  measurement: Measurement;
}

export async function startHundred(registry: Registry, room: Room): Promise<Hundred> {
  const store = await temporaryStore();
  const engine = tsrunEngine(registry, store, room);
  const image = engine.reference('busybox');
  for (let index = 0; index < COUNT; index++)
    await engine.run('run', '-d', '--network', 'none', image, 'sleep', '100000');
  return {
    measurement: {
      name: 'ps-100',
      title: `\`ps\` with ${COUNT} containers`,
      moment: 'beside',
      budgets: [{ kind: 'multiple', of: 'ps', factor: 1.5 }],
      engines: ['tsrun'],
      sample: async () => (await engine.run('ps')).ms,
    },
    async [Symbol.asyncDispose]() {
      const { stdout } = await engine.run('ps', '-q');
      await engine.run('rm', '-f', ...stdout.split('\n').filter(Boolean));
      await removeStore(store, engine.command('unshare').argv);
    },
  };
}
