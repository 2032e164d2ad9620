/** `tsrun copy`: an image from one place to another; the store is not asked, and keeps nothing but for the time of the copy. */
import { tsrunError } from '../errors.ts';
import { toUnusedDirectory } from '../image/archive/file-sink.ts';
import { type LocalPlace, parseLocalPlace } from '../image/archive/transport.ts';
import { documentsOf, fetchPartsOf } from '../image/copy-image.ts';
import { fetchArtifact, fetchIndex, type IndexInTransit } from '../image/copy-index.ts';
import { admission } from '../image/policy/admit-image.ts';
import type { PullListener } from '../image/pull/events.ts';
import type { RegistryAccess } from '../registry/access.ts';
import type { Digest } from '../spec/image.ts';
import { formatReference, otherEngine, parseReference, type Reference } from '../spec/reference.ts';
import { logImageEvent } from '../store/event-log.ts';
import type { StorePaths } from '../store/paths.ts';
import type { Engine } from './open-engine.ts';
import { openSource, REGISTRY } from './open-source.ts';
import { layoutName, requireRoom, toLayout, writeImage } from './write-place.ts';

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
  if (opened === undefined) throw noPlace(from, 'from');
  const { source, names, label, platform } = opened;
  const admit = admission(opened, { file: options.signaturePolicy });
  const transit = {
    paths: engine.paths,
    source,
    name: names[0],
    label,
    platform,
    isPlatformExplicit: options.platform !== undefined,
    admit,
    emit: options.onEvent,
  };
  using index = options.all ? await fetchIndex(transit) : undefined;
  const named = { full: names[0], label };
  if (index !== undefined) return await copyAsItIs(engine, index, target, named, options);
  const documents = await documentsOf(transit);
  using artifact = await fetchArtifact(transit, documents);
  if (artifact !== undefined) return await copyAsItIs(engine, artifact, target, named, options);
  using image = await fetchPartsOf(transit, documents);
  if (target.kind === 'registry') {
    const { pushImage } = await import('../image/push/push-image.ts');
    const { access, onEvent } = options;
    return await pushImage({
      ...access,
      paths: engine.paths,
      record: image.record,
      destination: target.reference,
      onEvent,
    });
  }
  await writeImage(engine.paths, image.record, target.place, names[0], options.onEvent);
  return image.record.manifestDigest;
}

type Target = { kind: 'registry'; reference: Reference } | { kind: 'place'; place: LocalPlace };

function parseTarget(text: string): Target {
  if (text.startsWith(REGISTRY)) return { kind: 'registry', reference: parseReference(text) };
  const place = parseLocalPlace(text);
  if (place === undefined) throw noPlace(text, 'to');
  requireRoom(place);
  return { kind: 'place', place };
}

function noPlace(text: string, role: 'from' | 'to'): Error {
  const peer = otherEngine(text);
  const toPaste =
    role === 'from'
      ? `tsrun copy docker://${text} oci:DIRECTORY   # or oci-archive:FILE, docker-archive:FILE, dir:DIRECTORY`
      : `tsrun copy FROM docker://${text}   # or to oci:DIRECTORY, oci-archive:FILE, docker-archive:FILE, dir:DIRECTORY`;
  const byPeer = role === 'from' ? `${peer} save IMAGE | tsrun load` : `tsrun save IMAGE | ${peer} load`;
  return tsrunError('ERR_TSRUN_USAGE', {
    problem:
      peer === undefined
        ? `"${text}" does not say where: it begins with no transport`
        : `"${text}" is in the store of ${peer}, which tsrun neither reads nor writes`,
    hint: peer === undefined ? toPaste : byPeer,
  });
}

async function copyAsItIs(
  { paths }: Engine,
  whole: IndexInTransit,
  target: Target,
  name: { full: string | undefined; label: string },
  options: CopyImageOptions,
): Promise<Digest> {
  await writeAsItIs(paths, whole, target, name.full, options);
  const pushed = target.kind === 'registry' && formatReference(target.reference);
  logImageEvent(paths, pushed ? 'push' : 'save', whole.digest, pushed || (name.full ?? name.label));
  return whole.digest;
}

async function writeAsItIs(
  paths: StorePaths,
  whole: IndexInTransit,
  target: Target,
  known: string | undefined,
  { access, onEvent }: CopyImageOptions,
): Promise<void> {
  if (target.kind === 'registry') {
    const { pushDocuments } = await import('../image/push/push-image.ts');
    const documents = [...whole.manifests, whole];
    const { reference: destination } = target;
    const label = formatReference(destination);
    return await pushDocuments({ ...access, paths, label, destination, documents, onEvent });
  }
  const { place } = target;
  const { transport, path } = place;
  if (transport === 'docker-archive')
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem:
        whole.manifests.length > 0
          ? 'a docker-archive holds no index: it is for one platform'
          : 'this is an artifact, and a docker-archive holds images only',
      hint: `${whole.manifests.length > 0 ? '--platform linux/amd64, or ' : ''}oci-archive:${path}`,
    });
  const { saveIndexLayout, saveIndexPlain } = await import('../image/archive/save-index.ts');
  if (transport === 'dir') return await toUnusedDirectory(path, (sink) => saveIndexPlain(paths, whole, sink));
  const name = layoutName(place, known);
  await toLayout(place, onEvent, (sink) => saveIndexLayout(paths, whole, name, sink));
}
