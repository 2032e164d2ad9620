/** Use case: `tsrun create`, and the first half of `run`. */
import { writeFileSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { DEFAULT_NETWORK, type EndpointRequest } from '../network/bridge-network.ts';
import { networkMode } from '../network/parse-network.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { pin } from '../store/pins.ts';
import { logContainerEvent } from './container-events.ts';
import { checkName } from './container-names.ts';
import { type ClaimedNetwork, claimNetwork } from './container-network.ts';
import { type ContainerPlan, planContainer } from './create-container.ts';
import type { CreateIo } from './create-io.ts';
import { degradations, sayRuntimeProblem } from './degraded.ts';
import { findImage } from './find-image.ts';
import type { Engine } from './open-engine.ts';
import { pingHintHere } from './ping-hint.ts';
import type { CreateRequest } from './request.ts';
import { sweep } from './sweep.ts';
import { withDefaults } from './with-defaults.ts';
import { writeContainer } from './write-container.ts';

/**
 * What can be refused without the image is refused before anything is pulled: a name in use, a network that is not there, an
 * address that is no container's or another one's, a port that cannot be bound (NET-5).
 * @param starts is it started at once?
 * @returns the network and its ports, when they do not depend on the image
 */
export async function refuseEarly(
  engine: Engine,
  request: CreateRequest,
  starts = true,
): Promise<ClaimedNetwork | undefined> {
  const mode = networkMode(request.network, request.endpoint);
  if (request.name !== undefined) checkName(request.name);
  if (request.name !== undefined && !request.replace) {
    const holder = engine.containers.idOfName(request.name);
    if (holder)
      throw tsrunError('ERR_TSRUN_NAME_IN_USE', { name: request.name, holder: holder.slice(0, 12) });
  }
  if (mode.kind === 'bridge' && mode.networks.some(mayBeRefused)) {
    const replaced = request.name === undefined ? undefined : engine.containers.idOfName(request.name);
    const { checkEndpoints } = await import('./check-endpoints.ts');
    checkEndpoints(engine, mode.networks, starts ? { replaced } : undefined);
  }
  // What is to be replaced may hold the very ports.
  if (request.publish.length === 0 || request.publishAll || request.replace) return undefined;
  return claimNetwork(engine, request, []);
}

/** The default network, without a word about addresses, is made when it is needed, and has one for everybody. */
const mayBeRefused = ({ name, ipv4, ipv6 }: EndpointRequest): boolean =>
  name !== DEFAULT_NETWORK || ipv4 !== undefined || ipv6 !== undefined;

/** @param starts as refuseEarly() takes it. @throws what findImage, planContainer and writeContainer throw; ERR_TSRUN_NAME_IN_USE */
export async function createContainer(
  engine: Engine,
  asked: CreateRequest,
  io: CreateIo = {},
  starts = false,
): Promise<ContainerPlan> {
  const request = await withDefaults(engine, asked);
  const claimed = await refuseEarly(engine, request, starts);
  const image = request.rootfs ? undefined : await imageFor(engine, request, io);
  // From here to the record on disk nobody's garbage collection may take the layers away.
  const mountedImages = request.mounts.some(({ type }) => type === 'image')
    ? await (await import('./image-mounts.ts')).mountedImages(engine, request, io)
    : undefined;
  const images = [...(image ? [image] : []), ...(mountedImages?.values() ?? [])];
  using _pin = await pin(engine.paths, {
    layers: images.flatMap(({ layers }) => layers.map(({ chainId }) => chainId)),
    blobs: images.map(({ imageId }) => imageId),
  });
  if (request.replace) await replace(engine, request, image, mountedImages);
  using _ids =
    request.userns.kind === 'auto'
      ? await (await import('./container-users.ts')).lockIdRanges(engine)
      : undefined;
  const plan = await planContainer(engine, request, image, { claimed, mountedImages });
  sayRuntimeProblem(engine);
  for (const line of degradations(engine, plan.record, plan.rejectedDrivers)) engine.warn(line);
  const ping = pingHintHere(plan.config.process.args, plan.record.network);
  if (ping !== undefined) engine.warn(ping);
  await writeContainer(engine, plan);
  await sweep(engine);
  logContainerEvent(engine, plan.record, 'create');
  if (request.cidfile !== undefined) writeFileSync(request.cidfile, plan.record.id, { flag: 'wx' });
  return plan;
}

const imageFor = (engine: Engine, request: CreateRequest, io: CreateIo): Promise<ImageRecord> =>
  findImage(engine, request.image, {
    policy: request.pull,
    platform: request.platform,
    access: request.access,
    signaturePolicy: request.signaturePolicy,
    strictNames: request.strictNames,
    onEvent: io.onEvent,
    get signal() {
      return io.signal;
    },
  });

/**
 * `--replace`: the container that has the name goes, as soon as nothing that can be known without its ports and its name speaks against
 * the new one.
 */
async function replace(
  engine: Engine,
  request: CreateRequest,
  image: ImageRecord | undefined,
  mountedImages: ReadonlyMap<string, ImageRecord> | undefined,
): Promise<void> {
  const { name } = request;
  const id = name === undefined ? undefined : engine.containers.idOfName(name);
  const record = id === undefined ? undefined : engine.containers.read(id);
  if (!record) return;
  const trial = { ...request, publish: [], publishAll: false };
  using _claim = (await planContainer(engine, trial, image, { mountedImages, explainOnly: true })).network
    .claim;
  const { removeContainer } = await import('./remove-container.ts');
  const { viewContainer } = await import('./container-view.ts');
  await removeContainer(engine, viewContainer(engine, record), { force: true, volumes: true });
}
