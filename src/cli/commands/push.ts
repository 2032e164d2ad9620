import { writeFileSync } from 'node:fs';
import type { Engine } from '../../engine/open-engine.ts';
import { tsrunError } from '../../errors.ts';
import { type LocalPlace, parseLocalPlace } from '../../image/archive/transport.ts';
import type { PullListener } from '../../image/pull/events.ts';
import type { Conversion } from '../../image/push/convert-image.ts';
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
import { nonEmpty, oneOf, wholeNumber } from '../parse/words-of-choice.ts';
import { pullProgress } from '../pull-progress.ts';
import { requireWritable } from '../require-writable.ts';

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

/** In the form that was asked for. What is made for that goes again. */
async function runConverted(
  engine: Engine,
  errand: Errand,
  conversion: Conversion | undefined,
  options: PushSettings,
): Promise<Digest> {
  if (conversion === undefined) return await run(errand, options);
  const { convertImage } = await import('../../image/push/convert-image.ts');
  try {
    using converted = await convertImage(engine.paths, errand.record, conversion, options.onEvent);
    return await run({ ...errand, record: converted.record }, options);
  } finally {
    const { freeSpace } = await import('../free-space.ts');
    await freeSpace(engine);
  }
}

interface ConversionWords {
  'compression-format': Conversion['compression'];
  'compression-level': number | undefined;
  'force-compression': boolean;
  format: Conversion['manifest'];
}

/** undefined when the image is to be pushed as it is. Throws ERR_TSRUN_USAGE. */
function conversionOf(given: ConversionWords): Conversion | undefined {
  const { 'compression-format': compression, 'compression-level': level, format: manifest } = given;
  if (given['force-compression'] && compression === undefined)
    throw usageError('--force-compression needs --compression-format');
  if (compression === 'zstd' && manifest === 'docker')
    throw usageError('--format v2s2 has no word for layers in zstd', '--compression-format gzip');
  const [least, most] = compression === 'zstd' ? [1, 22] : [0, 9];
  if (level !== undefined && (level < least || level > most))
    throw usageError(`--compression-level ${level}: ${compression ?? 'gzip'} has levels ${least} to ${most}`);
  if (level !== undefined && compression === undefined) return { compression: 'gzip', level, manifest };
  return compression === undefined && manifest === undefined ? undefined : { compression, level, manifest };
}

function compressionFormat(text: string): 'gzip' | 'zstd' {
  if (text === 'zstd:chunked')
    throw usageError('--compression-format zstd:chunked is not supported', '--compression-format zstd');
  return oneOf('--compression-format', ['gzip', 'zstd'])(text);
}

const manifestKind = (text: string): 'oci' | 'docker' =>
  oneOf('--format', ['oci', 'v2s2', 'docker'])(text) === 'oci' ? 'oci' : 'docker';

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
    'already, in this or in another of its repositories, is not sent again. With --compression-format, --compression-level or --format its layers or ' +
    'its manifest have another form, and other digests; its id stays. DESTINATION may also be oci:DIRECTORY[:NAME], oci-archive:FILE[:NAME], ' +
    'docker-archive:FILE[:NAME] or dir:DIRECTORY.',
  options: {
    ...REGISTRY_OPTIONS,
    ...PROGRESS_OPTION,
    'all-tags': flag('All images of the store that have this name', { short: 'a' }),
    'compression-format': value(
      'FORMAT',
      'Push all layers compressed with gzip or zstd; those that are not are compressed anew, and the manifest gets another digest',
      compressionFormat,
    ),
    'compression-level': value(
      'LEVEL',
      'Compress all layers anew, at this level: gzip 0 to 9, zstd 1 to 22',
      wholeNumber('--compression-level', 0),
    ),
    'force-compression': flag(
      'With --compression-format: whatever forms the registry has already; tsrun never uses those',
    ),
    format: value('KIND', 'Push a manifest of this kind: oci, v2s2 or docker (the same)', manifestKind, {
      short: 'f',
      default: "the image's own",
    }),
    digestfile: value('FILE', 'Write the digest of the manifest to a file', nonEmpty('--digestfile')),
    quiet: flag('Show no progress', { short: 'q' }),
  },
  unsupported: {
    'add-compression': 'tsrun push --compression-format zstd, with a tag of its own',
    compress: 'tsrun push --compression-format gzip',
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
    'tsrun push --compression-format zstd httpd docker://127.0.0.1:5000/httpd:zstd',
  ],
  async run(given, [image = '', destination], context) {
    const engine = await context.engine();
    const errands = errandsOf(engine, image, destination, given['all-tags']);
    if (given.digestfile !== undefined && errands.length > 1)
      throw usageError('--digestfile is for one image, and there are several');
    if (given.digestfile !== undefined) requireWritable(given.digestfile);
    const conversion = conversionOf(given);
    using progress = pullProgress(given.quiet ? 'quiet' : (given.progress ?? 'auto'));
    for (const errand of errands) {
      const options = { ...registryAccess(given), paths: engine.paths, onEvent: progress.listen };
      const digest = await runConverted(engine, errand, conversion, options);
      if (given.digestfile !== undefined) writeFileSync(given.digestfile, digest);
    }
    return 0;
  },
});
