/** Use case: `tsrun run`: create and start, and with `--rm` no trace of a container that could not start. */
import { existsSync } from 'node:fs';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerDirectory } from '../store/paths.ts';
import { viewContainer } from './container-view.ts';
import { createContainer } from './create.ts';
import type { CreateIo } from './create-io.ts';
import type { Engine } from './open-engine.ts';
import { removeContainer } from './remove-container.ts';
import type { CreateRequest } from './request.ts';
import { type StartedContainer, type StartOptions, startContainer } from './start-container.ts';

export interface RunningContainer extends StartedContainer {
  record: ContainerRecord;
}

/** @throws what createContainer and startContainer throw */
export async function runContainer(
  engine: Engine,
  request: CreateRequest,
  options: StartOptions & CreateIo,
): Promise<RunningContainer> {
  const { record, config, network } = await createContainer(engine, request, options, true);
  try {
    return { ...(await startContainer(engine, record, options, { config, network })), record };
  } catch (error) {
    if (record.autoRemove && existsSync(containerDirectory(engine.paths, record.id))) {
      await removeContainer(engine, viewContainer(engine, record), { force: true, volumes: true });
    }
    throw error;
  }
}
