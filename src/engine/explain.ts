/** Use case: `tsrun explain run …`: the plan that `run` would execute, made by the same functions, and executed by none. */

import { tsrunError } from '../errors.ts';
import type { Plan } from '../explain/plan.ts';
import { containerFiles, layerDiff } from '../store/paths.ts';
import type { Streams } from '../supervisor/messages.ts';
import { containerCgroup } from './container-cgroup.ts';
import { networkFiles } from './container-network.ts';
import { lowersOf } from './container-rootfs.ts';
import { refuseEarly } from './create.ts';
import { planContainer } from './create-container.ts';
import { explainNetworks } from './explain-networks.ts';
import { findImage } from './find-image.ts';
import { mountedImages } from './image-mounts.ts';
import { planSupervisor } from './launch-supervisor.ts';
import type { Engine } from './open-engine.ts';
import { isPlaceName } from './place-name.ts';
import type { CreateRequest } from './request.ts';
import { containerProgram, imageMountsOf, planStart } from './start-container.ts';
import { chooseStorageDriver } from './storage-driver.ts';
import { withDefaults } from './with-defaults.ts';

/** Throws ERR_TSRUN_USAGE for what the plan cannot show, or showing it would do. */
function refuseUnexplained({ image, mounts, rootfs, log }: CreateRequest): void {
  if (rootfs)
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: 'explain shows what becomes of an image: without --rootfs',
    });
  if (log.driver === 'passthrough')
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: 'explain shows a start that nothing is passed to: without --log-driver passthrough',
    });
  const place = [
    image,
    ...mounts.flatMap(({ type, source = '' }) => (type === 'image' ? [source] : [])),
  ].find(isPlaceName);
  if (place !== undefined)
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `explain shows what becomes of an image of the store: "${place}" is not there yet`,
      hint: `tsrun pull ${place}`,
    });
}

/**
 * The image must be in the store: explaining fetches nothing.
 * @param words the command line, for the heading
 * @param attach which of the command's streams would be the user's
 * @throws ERR_TSRUN_IMAGE_NOT_LOCAL, and what planContainer throws
 */
export async function planRun(
  engine: Engine,
  asked: CreateRequest,
  words: readonly string[],
  attach: Streams,
): Promise<Plan> {
  const request = await withDefaults(engine, asked);
  refuseUnexplained(request);
  const claimed = await refuseEarly(engine, request);
  const image = await findImage(engine, request.image, {
    policy: 'never',
    platform: request.platform,
    strictNames: request.strictNames,
  });
  const {
    record,
    config,
    network: chosenNetwork,
    rejectedDrivers,
  } = await planContainer(engine, request, image, {
    claimed,
    mountedImages: await mountedImages(engine, { ...request, pull: 'never' }, {}),
    explainOnly: true,
  });
  const { network, leases, programs } = explainNetworks(engine, record, chosenNetwork);
  const windowSize = request.tty ? { height: 24, width: 80 } : undefined;
  const cgroup = await containerCgroup(engine, record, config);
  // A descriptor that nobody opened: the program is only printed.
  const { supervisor } = planStart(engine, record, config, network, { attach, windowSize, cgroup }, 0);
  const launch = planSupervisor({ ...supervisor, rootless: engine.rootless() });
  const files = containerFiles(engine.paths, record.id);
  const extras = { cgroup, imageMounts: await imageMountsOf(engine, record) };
  const isMounted = (place: string): boolean =>
    config.mounts.some(({ destination }) => destination === place);
  const { hosts, resolvConf } = networkFiles(network, record, record.dns);
  const chosen = chooseStorageDriver(
    engine.paths,
    engine.rootless,
    request.storageDriver ?? engine.storageDriver,
  );
  return {
    commandLine: words,
    image: {
      reference: image.reference,
      digest: image.manifestDigest,
      layers: image.layers.map((layer) => ({
        digest: layer.blobDigest,
        chainId: layer.chainId,
        size: layer.size,
        path: layerDiff(engine.paths, layer.chainId),
      })),
    },
    idMaps: engine.maps,
    joins: launch.joins,
    rootfs: {
      driver: chosen.driver,
      why:
        rejectedDrivers.length > 0
          ? `instead of ${rejectedDrivers.join('; ')}`
          : 'it works here, and is the fastest',
      paths: {
        lowers: lowersOf(engine.paths, record),
        upper: files.upper,
        work: files.work,
        mountpoint: files.mountpoint,
      },
    },
    network: { driver: network.driver.name, why: network.reason, ports: record.ports, leases },
    config,
    files: {
      ...(isMounted('/etc/hosts') && { '/etc/hosts': hosts }),
      ...(isMounted('/etc/hostname') && { '/etc/hostname': `${record.hostname}\n` }),
      ...(isMounted('/etc/resolv.conf') && { '/etc/resolv.conf': resolvConf }),
    },
    programs: [
      ...programs,
      { title: 'tsrun → supervisor', program: launch },
      {
        title: 'supervisor → container',
        program: containerProgram(engine, record, config, network, extras),
      },
    ],
  };
}
