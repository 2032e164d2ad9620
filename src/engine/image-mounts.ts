/**
 * `--mount type=image`: an image's files at a place in a container.
 *
 * Overlay merges the image's layers in the container's mount namespace, with directories of the container's own on top, so that `rw=true`
 * needs nothing more; the mount itself is read-only otherwise. The image is in use as long as the container is there.
 */
import { mkdirSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { overlayMount } from '../rootfs/overlay.ts';
import type { ContainerRecord, RecordedMount } from '../store/container-record.ts';
import type { ImageRecord } from '../store/image-record.ts';
import { containerDirectory, imageMountFiles, layerDiff, type StorePaths } from '../store/paths.ts';
import type { Slots, Step } from '../sys/step.ts';
import type { CreateIo } from './create-io.ts';
import { findImage } from './find-image.ts';
import type { Engine } from './open-engine.ts';
import type { CreateRequest } from './request.ts';

/** The images of `--mount type=image`, by what they were called; fetched, and admitted, like the container's own. @throws what findImage() throws */
export async function mountedImages(
  engine: Engine,
  { mounts, pull: policy, platform, access, signaturePolicy, strictNames }: CreateRequest,
  io: CreateIo,
): Promise<Map<string, ImageRecord>> {
  const images = new Map<string, ImageRecord>();
  for (const { type, source = '' } of mounts)
    if (type === 'image')
      images.set(
        source,
        await findImage(engine, source, { policy, platform, access, signaturePolicy, strictNames, ...io }),
      );
  return images;
}

/** What is recorded of one. @throws ERR_TSRUN_USAGE where it cannot be had */
export function recordImageMount(
  request: { source: string | undefined; destination: string; options: string[] },
  images: ReadonlyMap<string, ImageRecord>,
  mountpoint: string,
): RecordedMount {
  const image = images.get(request.source ?? '');
  if (!image) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: request.source ?? '' });
  const { destination, options } = request;
  const layers = image.layers.map(({ chainId }) => chainId);
  return {
    type: 'image',
    source: image.reference,
    destination,
    options: options.includes('rw') ? options : [...options, 'ro'],
    image: { imageId: image.imageId, layers, mountpoint },
  };
}

/** Only the kernel's overlay merges layers without a process that serves them; and it translates no ids. @throws ERR_TSRUN_USAGE */
function requireOverlay(record: ContainerRecord): void {
  const isNested = record.idMaps !== undefined;
  if (!record.mounts.some(({ type }) => type === 'image')) return;
  const works = record.rootfsDriver === 'overlay' || record.rootfs !== undefined;
  if (works && !isNested) return;
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: isNested
      ? '--mount type=image: a container in a user namespace of its own would see the files of others'
      : `--mount type=image needs the storage driver overlay; here it is ${record.rootfsDriver}`,
    hint: isNested ? '--userns host' : 'tsrun doctor',
  });
}

const imageMounts = (record: Pick<ContainerRecord, 'mounts'>) =>
  record.mounts.flatMap(({ type, image }) => (type === 'image' && image ? [image] : []));

/** Makes the directories that the mounts need. @param place containers/<id>, where it is being made */
export function makeImageMountDirectories(record: ContainerRecord, place: string): void {
  requireOverlay(record);
  imageMounts(record).forEach((_image, index) => {
    for (const path of Object.values(imageMountFiles(place, index)))
      mkdirSync(path, { recursive: true, mode: 0o755 });
  });
}

/** Steps of the container that mount the images where its bind mounts take them from. */
export const imageMountSteps = (
  paths: StorePaths,
  record: Pick<ContainerRecord, 'id' | 'mounts' | 'autoRemove'>,
  slots: Slots,
): Step[] =>
  imageMounts(record).flatMap(({ layers }, index) =>
    overlayMount(
      slots,
      {
        lowers: layers.map((chainId) => layerDiff(paths, chainId)).reverse(),
        ...imageMountFiles(containerDirectory(paths, record.id), index),
        discarded: record.autoRemove,
      },
      'container',
    ),
  );
