import type { FoundRepository } from '../../registry/search.ts';
import { isRegistry } from '../../spec/reference.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../format/list.ts';
import { filterOption } from '../options/filter-option.ts';
import { asWritten, flag, type Values, value } from '../options/option.ts';
import { REGISTRY_OPTIONS, registryAccess } from '../options/registry-options.ts';
import { print } from '../output.ts';
import { parseRepository } from '../parse/repository.ts';
import { usageError } from '../parse/usage.ts';
import { wholeNumber } from '../parse/words-of-choice.ts';
import { forEach } from '../select-containers.ts';

const LIMIT = 25;
const FILTER_KEYS = ['is-automated', 'is-official', 'stars'] as const;
const SHORT_DESCRIPTION = 44;
const HEADINGS = {
  Index: 'INDEX',
  Name: 'NAME',
  Description: 'DESCRIPTION',
  Stars: 'STARS',
  Official: 'OFFICIAL',
  Automated: 'AUTOMATED',
  Tag: 'TAG',
};

const OPTIONS = {
  ...REGISTRY_OPTIONS,
  compatible: flag("Docker's columns: stars, official and automated, too"),
  filter: filterOption(FILTER_KEYS, {
    short: 'f',
  }),
  format: value('FORMAT', 'table, json (one object on each line), or a Go template', asWritten),
  limit: value('N', 'At most so many from each registry', wholeNumber('--limit', 1), {
    default: String(LIMIT),
  }),
  'list-tags': flag('The tags of the one image that is named'),
  'no-trunc': flag('Print descriptions in full'),
};

type Given = Values<typeof OPTIONS>;
type Test = Given['filter'][number];

function matches(found: FoundRepository, { key, value: wanted }: Test): boolean {
  if (key === 'stars') return found.stars >= wholeNumber('--filter stars', 0)(wanted);
  const is = key === 'is-official' ? found.isOfficial : found.isAutomated;
  return is === (wanted !== 'false');
}

function rowOf(found: FoundRepository, noTrunc: boolean) {
  const { description } = found;
  const isLong = !noTrunc && description.length > SHORT_DESCRIPTION;
  return {
    Index: found.registry,
    Name: found.name,
    Description: isLong ? `${description.slice(0, SHORT_DESCRIPTION - 3)}...` : description,
    Stars: found.stars,
    Official: found.isOfficial ? '[OK]' : '',
    Automated: found.isAutomated ? '[OK]' : '',
  };
}

/** `quay.io/httpd` → that registry alone; `httpd` → the search registries of registries.conf. */
async function placesOf(term: string): Promise<{ registries: readonly string[]; words: string }> {
  const [first = '', ...rest] = term.split('/');
  if (rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')) {
    if (!isRegistry(first)) throw usageError(`"${first}" is not a registry (host[:port])`);
    return { registries: [first], words: rest.join('/') };
  }
  const { readRegistriesConf } = await import('../../registry/read-registries-conf.ts');
  const { search = ['docker.io'] } = await readRegistriesConf(process.env);
  if (search.length === 0)
    throw usageError('registries.conf has no registry to search in', `tsrun search docker.io/${term}`);
  return { registries: search, words: term };
}

async function printTags(given: Given, name: string): Promise<number> {
  const { remoteTags } = await import('../../image/remote-tags.ts');
  const { repository, tags } = await remoteTags(parseRepository(name), registryAccess(given));
  const rows = tags.slice(0, given.limit ?? LIMIT).map((Tag) => ({ Name: repository, Tag }));
  print(formatList(rows, { format: given.format, columns: ['Name', 'Tag'], headings: HEADINGS }));
  return 0;
}

export const SEARCH = defineCommand({
  usage: 'TERM',
  operands: [1, 1],
  text:
    'Looks for images at registries: those that registries.conf searches, docker.io if it names none, or the one that TERM begins with ' +
    '(quay.io/httpd). Registries without a search are asked for the list of all they have.',
  options: OPTIONS,
  examples: ['tsrun search httpd', 'tsrun search --list-tags quay.io/podman/stable'],
  async run(given, [term = ''], context) {
    if (given['list-tags']) return await printTags(given, term);
    const { searchRegistry } = await import('../../registry/search.ts');
    const { registries, words } = await placesOf(term);
    if (given.creds !== undefined && registries.length > 1)
      throw usageError('--creds are for one registry', `tsrun search ${registries[0]}/${words}`);
    const rows: ReturnType<typeof rowOf>[] = [];
    const status = await forEach(registries, context.debug, async (registry) => {
      const found = await searchRegistry(registry, words, given.limit ?? LIMIT, registryAccess(given));
      const chosen = found.filter((each) => given.filter.every((test) => matches(each, test)));
      rows.push(...chosen.map((each) => rowOf(each, given['no-trunc'])));
    });
    const columns = ['Name', 'Description', ...(given.compatible ? ['Stars', 'Official', 'Automated'] : [])];
    if (rows.length > 0 || status === 0)
      print(formatList(rows, { format: given.format, columns, headings: HEADINGS }));
    return status;
  },
});
