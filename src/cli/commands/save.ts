import type { Engine } from '../../engine/open-engine.ts';
import type { ImageToSave } from '../../image/archive/save-images.ts';
import { isIdPrefix } from '../../spec/digest.ts';
import { isDangling } from '../../store/image-record.ts';
import { openArchiveTarget, unlessBrokenPipe } from '../archive-output.ts';
import { defineCommand } from '../command.ts';
import { localImage } from '../image-filter.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { usageError } from '../parse/usage.ts';
import { oneOf } from '../parse/words-of-choice.ts';

const FORMATS = ['docker-archive', 'oci-archive', 'oci-dir', 'docker-dir'] as const;

/** Each image once, with the names by which it was asked for: an image asked for by its id goes without a name. */
function selectImages(engine: Engine, written: readonly string[]): ImageToSave[] {
  const images = new Map<string, ImageToSave>();
  for (const name of written) {
    const record = localImage(engine, name);
    const image = images.get(record.imageId) ?? { record, names: [] };
    const isId = isIdPrefix(name, record.imageId);
    if (!isId && !isDangling(record) && !image.names.includes(record.reference))
      image.names.push(record.reference);
    images.set(record.imageId, image);
  }
  return [...images.values()];
}

/** Throws ERR_TSRUN_USAGE unless `path` is a directory to make, or an empty one; ERR_TSRUN_OUTPUT_FILE for what is none. */
async function requireEmpty(path: string | undefined, format: string): Promise<string> {
  if (path === undefined)
    throw usageError(`--format ${format} needs a directory`, `--format ${format} -o DIRECTORY`);
  const { isUnused } = await import('../../image/archive/file-sink.ts');
  if (!isUnused(path))
    throw usageError(
      `the directory ${path} is not empty`,
      `ls -A ${path}   # choose another, or remove what is there`,
    );
  return path;
}

async function saveDirectory(
  engine: Engine,
  images: ImageToSave[],
  format: 'oci-dir' | 'docker-dir',
  path: string,
): Promise<void> {
  const { saveLayout, savePlain } = await import('../../image/archive/save-images.ts');
  const { toUnusedDirectory } = await import('../../image/archive/file-sink.ts');
  const [first, ...more] = images;
  if (format === 'docker-dir' && more.length > 0)
    throw usageError('--format docker-dir holds one image', '--format oci-dir');
  await toUnusedDirectory(path, async (sink) => {
    if (format === 'oci-dir') await saveLayout(engine.paths, images, sink);
    else if (first) await savePlain(engine.paths, first.record, sink);
  });
}

export const SAVE = defineCommand({
  usage: 'IMAGE…',
  operands: [1, Number.POSITIVE_INFINITY],
  text: 'Writes images, with their names, to an archive or a directory that docker, podman and skopeo read. In the oci formats digests stay as they were pulled.',
  options: {
    format: value('FORMAT', FORMATS.join(', '), oneOf('--format', FORMATS), { default: 'docker-archive' }),
    'multi-image-archive': flag('The same: every IMAGE is an image of its own', { short: 'm' }),
    output: value('FILE', 'Write to FILE (or a new directory) instead of stdout', asWritten, {
      short: 'o',
      example: '-o httpd.tar',
    }),
    quiet: flag('The same: nothing is printed', { short: 'q' }),
  },
  unsupported: {
    compress: 'tsrun save IMAGE | gzip >FILE',
    uncompressed: 'skopeo copy --dest-decompress oci-archive:FILE dir:DIRECTORY',
    platform: 'an image of the store is for one platform',
  },
  examples: ['tsrun save -o httpd.tar httpd', 'tsrun save --format oci-archive httpd busybox | gzip'],
  async run(given, names, context) {
    const format = given.format ?? 'docker-archive';
    const engine = await context.engine();
    const images = selectImages(engine, names);
    if (format === 'oci-dir' || format === 'docker-dir') {
      await saveDirectory(engine, images, format, await requireEmpty(given.output, format));
      return 0;
    }
    const { saveForDocker, saveLayout } = await import('../../image/archive/save-images.ts');
    const { TarSink } = await import('../../image/archive/tar-sink.ts');
    using target = await openArchiveTarget(given.output, `tsrun save ${names.join(' ')}`);
    return await unlessBrokenPipe(async () => {
      const save = format === 'oci-archive' ? saveLayout : saveForDocker;
      await save(engine.paths, images, new TarSink(target.fd));
      target.keep();
    });
  },
});
