/** Containers that run while others are measured. They end at once when they are told to, and have written a line. */
import type { Engine } from './engine.ts';

/** The one that joins others to its namespaces; it has no network. */
export const HOLDER = 'tsrun-bench-holder';
export const HOLDER_COMMAND = ['sh', '-c', 'trap "exit 0" TERM; echo started; sleep 100000 & wait'];

export async function startHolder(engine: Engine): Promise<void> {
  const words = ['run', '-d', '--name', HOLDER, '--network', 'none', engine.reference('busybox')];
  await engine.run(...words, ...HOLDER_COMMAND);
}

export async function removeHolder(engine: Engine): Promise<void> {
  await engine.run('rm', '-f', HOLDER);
}

const NEIGHBOUR = 'tsrun-bench-neighbour';

/** A sample while another container is on the default network, whose own start and end do not count. */
export const besideNeighbour =
  (sample: (engine: Engine, scratch: string) => Promise<number>) =>
  async (engine: Engine, scratch: string): Promise<number> => {
    await engine.run('run', '-d', '--name', NEIGHBOUR, engine.reference('busybox'), ...HOLDER_COMMAND);
    try {
      return await sample(engine, scratch);
    } finally {
      await engine.run('rm', '-f', NEIGHBOUR);
    }
  };
