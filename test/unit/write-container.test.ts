/** Of two commands that draw the same name for their containers at once, both must succeed: neither was asked for that name. */
import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ContainerPlan } from '../../src/engine/create-container.ts';
import type { Engine } from '../../src/engine/open-engine.ts';
import { writeContainer } from '../../src/engine/write-container.ts';
import { ContainerStore } from '../../src/store/containers.ts';
import { temporaryDirectory } from '../../src/store/paths.ts';
import { exampleConfig } from '../support/example-plan.ts';
import { temporaryStore } from '../support/temporary-store.ts';

function storeOfOneUser() {
  const paths = temporaryStore();
  for (const directory of [temporaryDirectory(paths), paths.runtime])
    mkdirSync(directory, { recursive: true });
  const containers = new ContainerStore(paths);
  return { engine: { paths, containers, rootless: () => ({}) } as unknown as Engine, containers };
}

const planned = (digit: string, name: string, nameDrawn: boolean): ContainerPlan =>
  ({
    record: { id: digit.repeat(64), name, layers: [], mounts: [], rootfsDriver: 'overlay', autoRemove: true },
    nameDrawn,
    config: exampleConfig(),
  }) as unknown as ContainerPlan;

describe('a name that another container has got since the plan was made', () => {
  it('is drawn again, when it was drawn', async () => {
    const { engine, containers } = storeOfOneUser();
    const [first, second] = [planned('a', 'fast_wren', true), planned('b', 'fast_wren', true)];
    await writeContainer(engine, first);
    await writeContainer(engine, second);
    expect(containers.idOfName('fast_wren')).toBe(first.record.id);
    expect(second.record.name).not.toBe('fast_wren');
    expect(containers.idOfName(second.record.name)).toBe(second.record.id);
    expect(containers.read(second.record.id)?.name).toBe(second.record.name);
  });
});
