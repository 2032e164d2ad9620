/** Which containers a command is about: the names and ids given to it, `--all`, or `--latest`. */
import { readFileSync } from 'node:fs';
import type { ContainerView } from '../engine/container-view.ts';
import type { InsideEngine } from '../engine/mount-container.ts';
import { TsrunError } from '../errors.ts';
import { filterOption } from './options/filter-option.ts';
import { flag, list } from './options/option.ts';
import { say } from './output.ts';
import { usageError } from './parse/usage.ts';
import { NO_PS_FILTERS, PS_FILTERS, type PsFilter } from './ps-filter-keys.ts';
import { exitCodeOf, renderError } from './render-error.ts';

export const LATEST_OPTION = { latest: flag('The container that was made last', { short: 'l' }) };
export const ALL_OPTION = { all: flag('All containers', { short: 'a' }) };

/** Of them all, or of those that are named. */
export const FILTER_OPTION = {
  filter: filterOption(PS_FILTERS, {
    short: 'f',
    example: '--filter restart-policy=always',
    unsupported: NO_PS_FILTERS,
  }),
};

/** `--cidfile`, beside or instead of names: what `run --cidfile` has written. */
export const CIDFILE_OPTION = {
  cidfile: list('FILE', 'The container whose id is in FILE', readId, { example: '--cidfile web.cid' }),
};

/** All that selectContainers() goes by, beside names. */
export const SELECTION_OPTIONS = { ...ALL_OPTION, ...LATEST_OPTION, ...CIDFILE_OPTION, ...FILTER_OPTION };

function readId(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw usageError(`--cidfile ${file}: ${(error as Error).message}`);
  }
}

interface Selection {
  cidfile?: readonly string[];
  all?: boolean;
  latest?: boolean;
  filter?: readonly PsFilter[];
}

/** What each given word means, looked up when it is its turn. Throws ERR_TSRUN_USAGE for none at all. */
export async function selectContainers(
  engine: InsideEngine,
  named: readonly string[],
  { all = false, latest = false, filter = [], cidfile = [] }: Selection,
): Promise<(() => ContainerView)[]> {
  const names = [...named, ...cidfile];
  const { findContainer, listContainers } = await import('../engine/container-view.ts');
  const isImplied = all || latest || (filter.length > 0 && names.length === 0);
  if (isImplied && names.length > 0)
    throw usageError(`--${all ? 'all' : 'latest'} and a name contradict each other`);
  if (!isImplied && names.length === 0) throw usageError('which container?', 'tsrun ps -a');
  const matches =
    filter.length === 0 ? () => true : (await import('./ps-filter.ts')).psFilter(engine, filter);
  if (!isImplied) {
    const finds = names.map((name) => () => findContainer(engine, name));
    return filter.length === 0 ? finds : finds.filter((find) => isSelected(find, matches));
  }
  const containers = listContainers(engine).containers.filter(matches);
  if (latest && filter.length === 0 && containers[0] === undefined)
    throw usageError('there is no container', 'tsrun ps -a');
  return (latest ? containers.slice(0, 1) : containers).map((view) => () => view);
}

/** The one that a command of one container is about. Throws ERR_TSRUN_USAGE, ERR_TSRUN_CONTAINER_UNKNOWN. */
export async function selectContainer(
  engine: InsideEngine,
  named: readonly string[],
  selection: Selection,
): Promise<ContainerView> {
  const [find] = await selectContainers(engine, named, selection);
  if (!find) throw usageError('which container?', 'tsrun ps');
  return find();
}

/** Whether it matches. One that is not found is selected: that is told of when it is its turn. */
function isSelected(find: () => ContainerView, matches: (view: ContainerView) => boolean): boolean {
  let view: ContainerView;
  try {
    view = find();
  } catch (error) {
    if (error instanceof TsrunError) return true;
    throw error;
  }
  return matches(view);
}

/** Is it the error of a name that no container has? */
export const isUnknownContainer = (error: unknown): error is TsrunError =>
  error instanceof TsrunError && error.code === 'ERR_TSRUN_CONTAINER_UNKNOWN';

/**
 * Does `action` for each; one that fails is told of, and the others are done all the same.
 * @returns 0, or the exit status of the first failure
 */
export async function forEach<T>(
  items: readonly T[],
  debug: boolean,
  action: (item: T) => Promise<void> | void,
): Promise<number> {
  let status = 0;
  for (const item of items) {
    try {
      await action(item);
    } catch (error) {
      say(`${renderError(error, { debug })}\n`);
      status ||= exitCodeOf(error);
    }
  }
  return status;
}
