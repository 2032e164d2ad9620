import { defineCommand } from '../command.ts';
import { value } from '../options/option.ts';
import { print } from '../output.ts';
import { oneOf } from '../parse/words-of-choice.ts';
import { LATEST_OPTION, selectContainer } from '../select-containers.ts';

const FIELDS = { A: 'added', C: 'changed', D: 'deleted' } as const;

export const DIFF = defineCommand({
  usage: '[CONTAINER]',
  operands: [0, 1],
  text: "Lists what a container has added (A), changed (C) and deleted (D) of its image's files. What is in volumes is no part of it.",
  options: {
    format: value('FORMAT', 'json: a list for each kind', oneOf('--format', ['json'])),
    ...LATEST_OPTION,
  },
  examples: ['tsrun diff web'],
  async run(given, names, context) {
    const engine = await context.engine();
    const { record } = await selectContainer(engine, names, given);
    const { containerChanges } = await import('../../engine/container-changes.ts');
    const changes = await containerChanges(engine, record);
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
