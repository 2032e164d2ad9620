/** A container as commands see it: its record and what it is doing at this moment. */
import { existsSync } from 'node:fs';
import { type TsrunError, tsrunError } from '../errors.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { type ContainerState, readContainerState } from '../store/container-state.ts';
import { containerDirectory } from '../store/paths.ts';
import type { Engine } from './open-engine.ts';

export interface ContainerView {
  id: string;
  name: string;
  record: ContainerRecord;
  state: ContainerState;
}

/** What of the engine tells of containers. */
type Store = Pick<Engine, 'paths' | 'containers'>;

export function viewContainer(engine: Store, record: ContainerRecord): ContainerView {
  return { id: record.id, name: record.name, record, state: readContainerState(engine.paths, record.id) };
}

/** All containers, the newest first. Damaged ones are named in `damaged`. */
export function listContainers(engine: Store): { containers: ContainerView[]; damaged: string[] } {
  const containers: ContainerView[] = [];
  const damaged: string[] = [];
  for (const id of engine.containers.ids()) {
    const record = engine.containers.read(id);
    if (record) containers.push(viewContainer(engine, record));
    else if (existsSync(containerDirectory(engine.paths, id))) damaged.push(id); // else it was removed since the ids were read
  }
  // Not localeCompare(): it loads the rules of a language, which takes 10 ms.
  containers.sort((a, b) => (a.record.createdAt < b.record.createdAt ? 1 : -1));
  return { containers, damaged };
}

/**
 * The container that a name, an id or the beginning of one means.
 * @throws ERR_TSRUN_CONTAINER_UNKNOWN, ERR_TSRUN_CONTAINER_AMBIGUOUS
 */
export function findContainer(engine: Store, nameOrId: string): ContainerView {
  const exact = engine.containers.read(engine.containers.idOfName(nameOrId) ?? nameOrId);
  if (exact && (exact.id === nameOrId || exact.name === nameOrId)) return viewContainer(engine, exact);
  const matches = /^[0-9a-f]+$/.test(nameOrId)
    ? engine.containers.ids().filter((id) => id.startsWith(nameOrId))
    : [];
  if (matches.length > 1) {
    const candidates = matches.map((id) => id.slice(0, 16));
    throw tsrunError('ERR_TSRUN_CONTAINER_AMBIGUOUS', { name: nameOrId, candidates });
  }
  const record = matches[0] === undefined ? undefined : engine.containers.read(matches[0]);
  if (!record) throw tsrunError('ERR_TSRUN_CONTAINER_UNKNOWN', { name: nameOrId });
  return viewContainer(engine, record);
}

/** The error of a command for running containers, with what makes this one run. */
export function notRunning({ name, state: { phase } }: Pick<ContainerView, 'name' | 'state'>): TsrunError {
  const hint = phase === 'paused' ? `tsrun unpause ${name}` : `tsrun start ${name}`;
  return tsrunError('ERR_TSRUN_CONTAINER_STATE', { name, state: phase, wanted: 'running', hint });
}
