/** Use case: `tsrun create`, and the first half of `run`. */
import { writeFileSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import type { PullListener } from '../image/pull/events.ts';
import { parseNetwork } from '../network/parse-network.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { pin } from '../store/pins.ts';
import { checkName } from './container-names.ts';
import { chooseNetwork, claimContainerPorts } from './container-network.ts';
import { commitContainer, planContainer } from './create-container.ts';
import { findImage } from './find-image.ts';
import type { Engine } from './open-engine.ts';
import type { CreateRequest } from './request.ts';

export interface CreateIo {
  onEvent?: PullListener | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * What can be refused without the image is refused before anything is pulled: a name in use, a port that cannot be bound (NET-5).
 */
export async function refuseEarly(engine: Engine, request: CreateRequest): Promise<void> {
  parseNetwork(request.network);
  if (request.name !== undefined) {
    checkName(request.name);
    const holder = engine.containers.idOfName(request.name);
    if (holder)
      throw tsrunError('ERR_TSRUN_NAME_IN_USE', { name: request.name, holder: holder.slice(0, 12) });
  }
  if (request.publish.length > 0) {
    await claimContainerPorts(chooseNetwork(engine, request.network, request.publish), request.publish);
  }
}

/** @throws what findImage, planContainer and commitContainer throw; ERR_TSRUN_NAME_IN_USE */
export async function createContainer(
  engine: Engine,
  request: CreateRequest,
  io: CreateIo = {},
): Promise<ContainerRecord> {
  await refuseEarly(engine, request);
  const image = await findImage(engine, request.image, {
    policy: request.pull,
    platform: request.platform,
    ...io,
  });
  // From here to the record on disk nobody's garbage collection may take the layers away.
  const layers = image.layers.map((layer) => layer.chainId);
  using _pin = await pin(engine.paths, { layers, blobs: [image.imageId] });
  const plan = await planContainer(engine, request, image);
  await commitContainer(engine, plan);
  if (request.cidfile !== undefined) writeFileSync(request.cidfile, plan.record.id, { flag: 'wx' });
  return plan.record;
}
