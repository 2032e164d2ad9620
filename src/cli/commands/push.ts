import { writeFileSync } from 'node:fs';
import type { Engine } from '../../engine/open-engine.ts';
import { tsrunError } from '../../errors.ts';
import { type LocalPlace, parseLocalPlace } from '../../image/archive/transport.ts';
import type { PullListener } from '../../image/pull/events.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import type { Digest } from '../../spec/image.ts';
import { formatReference, parseReference, type Reference } from '../../spec/reference.ts';
import { type ImageRecord, isDangling } from '../../store/image-record.ts';
import type { StorePaths } from '../../store/paths.ts';
import { defineCommand } from '../command.ts';
import { flag, value } from '../options/option.ts';
import { PROGRESS_OPTION } from '../options/progress-option.ts';
import { REGISTRY_OPTIONS, registryAccess } from '../options/registry-options.ts';
import { usageError } from '../parse/usage.ts';
import { nonEmpty } from '../parse/words-of-choice.ts';
import { pullProgress } from '../pull-progress.ts';

/** Places that belong to other engines. */
const OTHER_TRANSPORT = /^(docker-daemon|containers-storage):/;

interface Errand {
  record: ImageRecord;
  destination: Reference | LocalPlace;
}

interface PushSettings extends RegistryAccess {
  paths: StorePaths;
  onEvent: PullListener;
}

/** What is to be pushed where. Throws ERR_TSRUN_IMAGE_NOT_LOCAL, ERR_TSRUN_USAGE, ERR_TSRUN_REFERENCE. */
function errandsOf(
  engine: Engine,
  image: string,
  destination: string | undefined,
  allTags: boolean,
): Errand[] {
  const record = engine.images.resolve(image);
  const other = OTHER_TRANSPORT.exec(destination ?? '')?.[1];
  if (other !== undefined)
    throw usageError(
      `tsrun push does not write ${other}: it is another engine's`,
      `tsrun save ${image} | ${other === 'docker-daemon' ? 'docker' : 'podman'} load`,
    );
  if (allTags) {
    if (destination !== undefined) throw usageError('--all-tags and a destination contradict each other');
    return allTagsOf(engine, image);
  }
  if (record === undefined) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: image });
  if (destination === undefined && isDangling(record))
    throw usageError(`image ${image} has no name: say where to`, `tsrun push ${image} REGISTRY/NAME`);
  const place = destination === undefined ? undefined : parseLocalPlace(destination);
  return [{ record, destination: place ?? parseReference(destination ?? record.reference) }];
}

/** Writes or pushes one; the digest of the manifest. Throws ERR_TSRUN_OUTPUT_FILE, ERR_TSRUN_REGISTRY_…. */
async function run({ record, destination }: Errand, options: PushSettings): Promise<Digest> {
  if (!('transport' in destination)) {
    const { pushImage } = await import('../../image/push/push-image.ts');
    return await pushImage({ ...options, record, destination });
  }
  const { requireRoom, writeImage } = await import('../../engine/write-place.ts');
  requireRoom(destination);
  const name = isDangling(record) ? undefined : record.reference;
  await writeImage(options.paths, record, destination, name, options.onEvent);
  return record.manifestDigest;
}

/** All images of the store with the name, whatever their tag. */
function allTagsOf(engine: Engine, image: string): Errand[] {
  const wanted = parseReference(image);
  const errands = engine.images
    .list()
    .filter((record) => !isDangling(record))
    .map((record) => ({ record, destination: parseReference(record.reference) }))
    .filter(
      ({ destination }) =>
        destination.registry === wanted.registry && destination.repository === wanted.repository,
    );
  if (errands.length === 0)
    throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: formatReference(wanted) });
  return errands;
}

const ENCRYPTED =
  'skopeo copy --encryption-key KEY oci:LAYOUT docker://IMAGE, after tsrun push IMAGE oci:LAYOUT';

export const PUSH = defineCommand({
  usage: 'IMAGE [DESTINATION]',
  operands: [1, 2],
  text:
    'Pushes an image of the store to its registry, or to DESTINATION: exactly what was pulled, with the same digests. What the registry has ' +
    'already, in this or in another of its repositories, is not sent again. DESTINATION may also be oci:DIRECTORY[:NAME], oci-archive:FILE[:NAME], ' +
    'docker-archive:FILE[:NAME] or dir:DIRECTORY.',
  options: {
    ...REGISTRY_OPTIONS,
    ...PROGRESS_OPTION,
    'all-tags': flag('All images of the store that have this name', { short: 'a' }),
    digestfile: value('FILE', 'Write the digest of the manifest to a file', nonEmpty('--digestfile')),
    quiet: flag('Show no progress', { short: 'q' }),
  },
  unsupported: {
    ...Object.fromEntries(
      ['compress', 'compression-format', 'compression-level', 'force-compression', 'f', 'format'].map(
        (name) => [name, 'images are pushed as they are, so that their digests stay'],
      ),
    ),
    'add-compression': 'images are pushed as they are, so that their digests stay',
    'disable-content-trust': 'images are not signed; cosign sign IMAGE@DIGEST',
    'encrypt-layer': ENCRYPTED,
    'encryption-key': ENCRYPTED,
    platform: 'tsrun push IMAGE@DIGEST',
    'remove-signatures': 'signatures are not pushed',
    'sign-by': 'skopeo standalone-sign',
    'sign-by-sigstore': 'cosign sign IMAGE@DIGEST',
    'sign-by-sigstore-private-key': 'cosign sign IMAGE@DIGEST',
    'sign-passphrase-file': 'cosign sign IMAGE@DIGEST',
  },
  examples: [
    'tsrun push quay.io/me/app',
    'tsrun push httpd docker://127.0.0.1:5000/httpd:2.4',
    'tsrun push httpd oci:layout:2.4',
  ],
  async run(given, [image = '', destination], context) {
    const engine = await context.engine();
    const errands = errandsOf(engine, image, destination, given['all-tags']);
    if (given.digestfile !== undefined && errands.length > 1)
      throw usageError('--digestfile is for one image, and there are several');
    using progress = pullProgress(given.quiet ? 'quiet' : (given.progress ?? 'auto'));
    for (const errand of errands) {
      const options = { ...registryAccess(given), paths: engine.paths, onEvent: progress.listen };
      const digest = await run(errand, options);
      if (given.digestfile !== undefined) writeFileSync(given.digestfile, digest);
    }
    return 0;
  },
});
