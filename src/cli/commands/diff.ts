import type { ContainerView } from '../../engine/container-view.ts';
import type { Change } from '../../engine/layer-changes.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { defineCommand } from '../command.ts';
import { value } from '../options/option.ts';
import { print } from '../output.ts';
import { oneOf } from '../parse/words-of-choice.ts';
import { isUnknownContainer, LATEST_OPTION, selectContainer } from '../select-containers.ts';

const FIELDS = { A: 'added', C: 'changed', D: 'deleted' } as const;

/** A container goes before an image of its name. Throws ERR_TSRUN_CONTAINER_UNKNOWN when there is neither. */
async function changesOf(engine: Engine, names: readonly string[], latest: boolean): Promise<Change[]> {
  let container: ContainerView;
  try {
    container = await selectContainer(engine, names, { latest });
  } catch (error) {
    const image = isUnknownContainer(error) ? engine.images.resolve(names[0] ?? '') : undefined;
    if (image === undefined) throw error;
    const { imageChanges } = await import('../../engine/layer-changes.ts');
    return await imageChanges(engine, image);
  }
  const { containerChanges } = await import('../../engine/container-changes.ts');
  return await containerChanges(engine, container.record);
}

export const DIFF = defineCommand({
  usage: '[CONTAINER|IMAGE]',
  operands: [0, 1],
  text:
    "Lists what a container has added (A), changed (C) and deleted (D) of its image's files, or the last layer of an image of those below. " +
    'What is in volumes is no part of it.',
  options: {
    format: value('FORMAT', 'json: a list for each kind', oneOf('--format', ['json'])),
    ...LATEST_OPTION,
  },
  examples: ['tsrun diff web', 'tsrun diff httpd'],
  async run(given, names, context) {
    const engine = await context.engine();
    const changes = await changesOf(engine, names, given.latest);
    if (given.format !== 'json') {
      print(changes.map(({ kind, path }) => `${kind} ${path}\n`).join(''));
      return 0;
    }
    const lists = (Object.keys(FIELDS) as (keyof typeof FIELDS)[]).flatMap((kind) => {
      const paths = changes.filter((change) => change.kind === kind).map(({ path }) => path);
      return paths.length > 0 ? [[FIELDS[kind], paths] as const] : [];
    });
    print(`${JSON.stringify(Object.fromEntries(lists))}\n`);
    return 0;
  },
});
