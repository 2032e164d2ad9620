/** Use case: `tsrun commit`: what a container has changed becomes the top layer of a new image. */

import { makeImage } from '../image/make/make-image.ts';
import { type SpooledLayer, spoolLayer } from '../image/make/spool-layer.ts';
import type { PullListener } from '../image/pull/events.ts';
import { signalName } from '../launch/signals.ts';
import type { ImageRunConfig } from '../spec/image.ts';
import { applyChange } from '../spec/image-change.ts';
import { hostPlatform } from '../spec/platform.ts';
import type { Reference } from '../spec/reference.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { pin } from '../store/pins.ts';
import { MOUNT_PLACES } from './container-changes.ts';
import { logContainerEvent } from './container-events.ts';
import type { ContainerView } from './container-view.ts';
import type { Engine } from './open-engine.ts';
import { type PackSource, streamTree } from './pack-tree.ts';
import { pauseContainer, unpauseContainer } from './pause-container.ts';
import { engineHooks, engineUnpacker } from './unpacker.ts';

export interface CommitOptions {
  name: Reference | undefined;
  /** Instructions of a Dockerfile. */
  changes: readonly string[];
  message: string | undefined;
  author: string | undefined;
  /** Pause it while its files are read. */
  pause: boolean;
  /** One layer with all files, instead of one on top of the image's. */
  squash: boolean;
  /** Places of its volumes become volumes of the image. */
  includeVolumes: boolean;
  onEvent: PullListener;
}

/** What tsrun has set for this one container. */
const OWN_VARIABLES = /^(?:HOSTNAME|HOME|TERM|container)=/;

function runConfig(record: ContainerRecord, base: ImageRunConfig, options: CommitOptions): ImageRunConfig {
  const { Volumes, ...kept } = base;
  const own = new Set(base.Env ?? []);
  const volumes = options.includeVolumes
    ? Object.fromEntries(
        record.mounts.filter(({ type }) => type === 'volume').map((m) => [m.destination, {}]),
      )
    : {};
  const ports = [...(record.expose ?? []), ...record.ports.map((p) => `${p.containerPort}/${p.protocol}`)];
  const exposed = Object.fromEntries(ports.map((port) => [port, {}]));
  const config: ImageRunConfig = {
    ...kept,
    Env: record.env.filter((entry) => own.has(entry) || !OWN_VARIABLES.test(entry)),
    Entrypoint: record.entrypoint,
    Cmd: record.command.slice(record.entrypoint.length),
    WorkingDir: record.workdir,
    Labels: record.labels,
    StopSignal: signalName(record.stopSignal),
    ...(record.user !== '' && { User: record.user }),
    ...(Object.keys({ ...base.ExposedPorts, ...exposed }).length > 0 && {
      ExposedPorts: { ...base.ExposedPorts, ...exposed },
    }),
    ...(Object.keys({ ...Volumes, ...volumes }).length > 0 && { Volumes: { ...Volumes, ...volumes } }),
  };
  return options.changes.reduce(applyChange, config);
}

async function readLayer(
  engine: Engine,
  view: ContainerView,
  options: CommitOptions,
  whole: boolean,
): Promise<SpooledLayer> {
  const source: PackSource = { kind: whole ? 'container' : 'changes', record: view.record };
  const isPaused = options.pause && view.state.phase === 'running';
  if (isPaused) await pauseContainer(engine, view);
  try {
    const { archive, result } = streamTree(engine, source, { exclude: MOUNT_PLACES });
    const layer = await spoolLayer(engine.paths, archive);
    const { changed } = await result;
    if (changed > 0)
      engine.warn(`${changed} files changed while they were read: tsrun commit --pause waits for none`);
    return layer;
  } finally {
    if (isPaused) {
      const { viewContainer } = await import('./container-view.ts');
      await unpauseContainer(engine, viewContainer(engine, view.record));
    }
  }
}

/** @throws ERR_TSRUN_USAGE for a wrong instruction, ERR_TSRUN_PACK, ERR_TSRUN_PAUSE */
export async function commitContainer(
  engine: Engine,
  view: ContainerView,
  options: CommitOptions,
): Promise<ImageRecord> {
  const { record } = view;
  using _pin = await pin(engine.paths, {
    layers: record.layers,
    blobs: record.rootfs ? [] : [record.imageId],
  });
  const base = record.rootfs ? undefined : engine.images.resolve(record.imageId);
  const below = base && engine.images.config(base);
  const config = runConfig(record, below?.config ?? {}, options);
  // A copy does not know what was changed; an image that was removed cannot be built on.
  const whole = options.squash || base === undefined || record.rootfsDriver === 'copy';
  using layer = await readLayer(engine, view, options, whole);
  const created = new Date().toISOString();
  const { architecture, os, variant } = below ?? hostPlatform(process.arch);
  const author = options.author ?? below?.author;
  const image = await makeImage({
    paths: engine.paths,
    unpacker: engineUnpacker(engine),
    hooks: engineHooks(engine),
    emit: options.onEvent,
    base: whole ? undefined : base,
    layer,
    config: {
      created,
      architecture,
      os,
      ...(variant !== undefined && { variant }),
      ...(author !== undefined && { author }),
      config,
    },
    history: {
      created,
      created_by: record.command.join(' '),
      ...(author !== undefined && { author }),
      ...(options.message !== undefined && { comment: options.message }),
    },
    name: options.name,
  });
  logContainerEvent(engine, record, 'commit');
  return image;
}
