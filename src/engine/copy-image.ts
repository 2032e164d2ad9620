/** `tsrun copy`: an image from one place to another; the store is not asked, and keeps nothing but for the time of the copy. */
import { closeSync, existsSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { DirectorySink } from '../image/archive/file-sink.ts';
import { LayoutSink, takesLayout } from '../image/archive/layout-sink.ts';
import { saveForDocker, saveLayout, savePlain } from '../image/archive/save-images.ts';
import { TarSink } from '../image/archive/tar-sink.ts';
import { type LocalPlace, parseLocalPlace } from '../image/archive/transport.ts';
import { fetchParts } from '../image/copy-image.ts';
import { fetchIndex, type IndexInTransit } from '../image/copy-index.ts';
import { admission } from '../image/policy/admit-image.ts';
import type { PullListener } from '../image/pull/events.ts';
import type { RegistryAccess } from '../registry/access.ts';
import type { Digest } from '../spec/image.ts';
import { formatReference, parseReference } from '../spec/reference.ts';
import { logImageEvent } from '../store/event-log.ts';
import type { ImageRecord } from '../store/image-record.ts';
import type { Engine } from './open-engine.ts';
import { openSource, REGISTRY } from './open-source.ts';

export interface CopyImageOptions {
  platform?: string | undefined;
  /** All platforms, with their index. */
  all?: boolean | undefined;
  access: RegistryAccess;
  signaturePolicy?: string | undefined;
  onEvent: PullListener;
}

/**
 * @param from and `to` with their transports. @returns the digest of the manifest
 * @throws ERR_TSRUN_USAGE for what is no place, ERR_TSRUN_OUTPUT_FILE, ERR_TSRUN_REGISTRY_…, ERR_TSRUN_IMAGE_ARCHIVE, …
 */
export async function copyImage(
  engine: Engine,
  from: string,
  to: string,
  options: CopyImageOptions,
): Promise<Digest> {
  const target = parseTarget(to);
  await using opened = await openSource(engine.paths, from, options);
  if (opened === undefined) throw noPlace(from);
  const { source, names, label, platform } = opened;
  const admit = admission(opened, { file: options.signaturePolicy });
  const transit = {
    paths: engine.paths,
    source,
    name: names[0],
    label,
    platform,
    admit,
    emit: options.onEvent,
  };
  using index = options.all ? await fetchIndex(transit) : undefined;
  if (index !== undefined) {
    await writeIndex(engine, index, target, options);
    const pushed = target.kind === 'registry' && formatReference(parseReference(target.name));
    logImageEvent(engine.paths, pushed ? 'push' : 'save', index.digest, pushed || (names[0] ?? label));
    return index.digest;
  }
  using image = await fetchParts(transit);
  if (target.kind === 'registry') {
    const { pushImage } = await import('../image/push/push-image.ts');
    const { access, onEvent } = options;
    return await pushImage({
      ...access,
      paths: engine.paths,
      record: image.record,
      destination: parseReference(target.name),
      onEvent,
    });
  }
  await write(engine, image.record, target.place);
  return image.record.manifestDigest;
}

type Target = { kind: 'registry'; name: string } | { kind: 'place'; place: LocalPlace };

function parseTarget(text: string): Target {
  if (text.startsWith(REGISTRY)) return { kind: 'registry', name: text.slice(REGISTRY.length) };
  const place = parseLocalPlace(text);
  if (place === undefined) throw noPlace(text);
  const { transport, path } = place;
  if (transport === 'dir' && existsSync(path) && readdirSync(path).length > 0)
    throw tsrunError('ERR_TSRUN_USAGE', { problem: `the directory ${path} is not empty` });
  if (transport === 'oci' && !takesLayout(path))
    throw tsrunError('ERR_TSRUN_USAGE', { problem: `the directory ${path} is not empty, and no OCI layout` });
  return { kind: 'place', place };
}

const noPlace = (text: string): Error =>
  tsrunError('ERR_TSRUN_USAGE', {
    problem: `"${text}" does not say where: it begins with no transport`,
    hint: `tsrun copy docker://${text} oci:DIRECTORY   # or oci-archive:FILE, docker-archive:FILE, dir:DIRECTORY`,
  });

async function writeIndex(
  engine: Engine,
  index: IndexInTransit,
  target: Target,
  { access, onEvent }: CopyImageOptions,
): Promise<void> {
  const { paths } = engine;
  if (target.kind === 'registry') {
    const { pushDocuments } = await import('../image/push/push-image.ts');
    const documents = [...index.manifests, { ...index, parts: [] }];
    const destination = parseReference(target.name);
    return await pushDocuments({ ...access, paths, label: target.name, destination, documents, onEvent });
  }
  const { transport, path, name } = target.place;
  if (transport === 'docker-archive')
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: 'a docker-archive holds no index: it is for one platform',
      hint: `--platform linux/amd64, or oci-archive:${path}`,
    });
  const { saveIndexLayout, saveIndexPlain } = await import('../image/archive/save-index.ts');
  if (transport === 'dir') return await saveIndexPlain(paths, index, new DirectorySink(path));
  if (transport === 'oci') return await saveIndexLayout(paths, index, name, new LayoutSink(path));
  await toNewFile(path, (sink) => saveIndexLayout(paths, index, name, sink));
}

/** An archive that is whole, or is not there. */
async function toNewFile(path: string, write: (sink: TarSink) => Promise<void>): Promise<void> {
  const fd = openOutput(path);
  try {
    await write(new TarSink(fd));
  } catch (error) {
    rmSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

async function write(engine: Engine, record: ImageRecord, place: LocalPlace): Promise<void> {
  const { paths } = engine;
  const { transport, path, name } = place;
  // A name that was asked for is kept as it is: a layout's may be a mere tag. Otherwise a layout's image keeps the one it has.
  const known = record.reference.startsWith('<none>') ? [] : [record.reference];
  const images = [{ record, names: name === undefined ? known : [name] }];
  if (transport === 'dir') return await savePlain(paths, record, new DirectorySink(path));
  if (transport === 'oci') return await saveLayout(paths, images, new LayoutSink(path));
  await toNewFile(path, (sink) =>
    transport === 'oci-archive'
      ? saveLayout(paths, images, sink)
      : saveForDocker(paths, [{ record, names: dockerNames(name, known) }], sink),
  );
}

/** docker wants full names. */
const dockerNames = (name: string | undefined, known: string[]): string[] =>
  name === undefined ? known : [formatReference(parseReference(name))];

function openOutput(path: string): number {
  try {
    return openSync(path, 'wx');
  } catch (error) {
    throw tsrunError('ERR_TSRUN_OUTPUT_FILE', { path }, error);
  }
}
