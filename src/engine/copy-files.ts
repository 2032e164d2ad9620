/** Use case: `tsrun cp`: an archive is packed at one place and applied at the other; nothing of it is on disk in between. */
import { basename, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { tsrunError } from '../errors.ts';
import type { CopyJob, CopyResult, ExtractJob } from '../image/copy/copy-job.ts';
import type { PackJob, PackResult } from '../image/pack/pack-job.ts';
import { packTo, packToStream } from '../image/pack/start-pack.ts';
import { type StartInNamespaces, startByRootless } from '../image/unpack/unpack-process.ts';
import { containerTree } from './container-tree.ts';
import type { ContainerView } from './container-view.ts';
import { asItIs } from './ended-meanwhile.ts';
import type { Engine } from './open-engine.ts';
import { runCopier } from './run-copier.ts';
import { workerCommand } from './worker-command.ts';

/** One end of a copy. */
export type CopyPlace =
  | { kind: 'host'; path: string }
  /** Relative paths count from the container's root directory. */
  | { kind: 'container'; view: ContainerView; path: string }
  /** A directory that this user's containers own, such as a volume's; it is a root of its own. */
  | { kind: 'directory'; root: string; path: string };

export interface CopyOptions {
  /** Keep the numbers of users and groups, into a container. */
  archive: boolean;
  /** Copy what a symbolic link leads to. */
  follow: boolean;
  overwrite: boolean;
}

const bytes = (name: string): string => Buffer.from(name).toString('latin1');

/** A place in whose tree a worker can work. */
interface OpenPlace extends Disposable {
  start: StartInNamespaces;
  root: string;
  path: string;
}

async function open(engine: Engine, place: CopyPlace): Promise<OpenPlace> {
  if (place.kind === 'container') {
    const tree = await containerTree(engine, place.view);
    const path = place.path.startsWith('/') ? place.path : `/${place.path}`;
    return { ...tree, path, [Symbol.dispose]: () => tree[Symbol.dispose]() };
  }
  const start = startByRootless(engine.rootless());
  if (place.kind === 'directory') return { start, root: place.root, path: place.path, [Symbol.dispose]() {} };
  // A slash or a dot at the end says that a directory is meant: resolve() would take it away.
  const end = /(?:^|\/)(\.?)$/.exec(place.path)?.[0] ?? '';
  const path = resolve(place.path) + (end.startsWith('/') ? end : end === '' ? '' : `/${end}`);
  return { start, root: '/', path, [Symbol.dispose]() {} };
}

/** What is to be packed, and what the archive then is. */
interface Source {
  place: OpenPlace;
  job: Omit<PackJob, 'root'>;
  what: ExtractJob['what'];
  name: string;
}

/** Of a container that ends just now, the files as they are then. */
async function openSource(engine: Engine, from: CopyPlace, follow: boolean): Promise<Source> {
  const described = async (now: CopyPlace): Promise<Source> => {
    const place = await open(engine, now);
    try {
      return { place, ...(await describeSource(place, follow)) };
    } catch (error) {
      place[Symbol.dispose]();
      throw error;
    }
  };
  if (from.kind !== 'container') return await described(from);
  return await asItIs(engine, from.view, (view) => described({ ...from, view }));
}

async function describeSource(place: OpenPlace, follow: boolean): Promise<Omit<Source, 'place'>> {
  const { path, start, root } = place;
  const wantsContents = /(?:^|\/)\.$/.test(path);
  const wantsTarget = follow || /\/\.?$/.test(path);
  const job: CopyJob = { kind: 'stat', root, path: bytes(path), follow: wantsTarget };
  const { found } = await runCopier(start, job);
  if (found === 'absent')
    throw tsrunError('ERR_TSRUN_COPY', { path, problem: 'there is no such file or directory' });
  if (found === 'file' && path.endsWith('/'))
    throw tsrunError('ERR_TSRUN_COPY', { path, problem: 'it is no directory' });
  const isContents = wantsContents || path === '/';
  const name = isContents ? '' : basename(path);
  // The kernel's own file systems are not the container's files.
  const exclude = path === '/' || path === '/.' ? ['proc', 'sys', 'dev'] : [];
  const what = found === 'file' ? 'file' : isContents ? 'contents' : 'directory';
  const pack = {
    as: bytes(name),
    path: bytes(path),
    follow: wantsTarget,
    changesOf: undefined,
    exclude,
    digest: false,
  };
  return { job: pack, what, name };
}

/** The user who gets what is copied, as the container numbers users. */
function ownerIn(place: CopyPlace, archive: boolean): ExtractJob['owner'] {
  return archive && place.kind !== 'host' ? undefined : { uid: 0, gid: 0 };
}

function idsOf(place: CopyPlace): ExtractJob['ids'] {
  const maps = place.kind === 'container' ? place.view.record.idMaps : undefined;
  return maps && { uids: maps.uids, gids: maps.gids };
}

const extractJob = (
  engine: Engine,
  to: CopyPlace,
  place: OpenPlace,
  given: Pick<ExtractJob, 'what' | 'name' | 'overwrite'> & { archive: boolean },
): ExtractJob => ({
  kind: 'extract',
  root: place.root,
  path: bytes(place.path),
  what: given.what,
  name: given.name,
  owner: ownerIn(to, given.archive),
  ids: idsOf(to),
  singleUid: engine.maps.single,
  overwrite: given.overwrite,
});

/**
 * Copies by the rules of docker cp.
 * @throws ERR_TSRUN_COPY, ERR_TSRUN_PACK, ERR_TSRUN_NAMESPACES
 */
export async function copyFiles(
  engine: Engine,
  from: CopyPlace,
  to: CopyPlace,
  options: CopyOptions,
): Promise<PackResult> {
  if (to.kind !== 'container') return await copy(engine, from, to, options);
  return await asItIs(engine, to.view, (view) => copy(engine, from, { ...to, view }, options));
}

async function copy(
  engine: Engine,
  from: CopyPlace,
  to: CopyPlace,
  options: CopyOptions,
): Promise<PackResult> {
  const described = await openSource(engine, from, options.follow);
  using source = described.place;
  using target = await open(engine, to);
  const stream = packToStream(
    { start: source.start, workerCommand: workerCommand('pack', 'pack-worker') },
    { ...described.job, root: source.root },
  );
  const { what, name } = described;
  const job = extractJob(engine, to, target, { ...options, what, name: bytes(name) });
  try {
    await runCopier(target.start, job, stream.archive);
  } catch (error) {
    stream.archive.destroy();
    // When packing has failed, that is why the archive ended too soon.
    throw await stream.result.then(
      () => error,
      (cause: unknown) => (isWorkerCut(cause) ? error : cause),
    );
  }
  return await stream.result;
}

/** The packer ended because nobody read on. */
const isWorkerCut = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_TSRUN_ARCHIVE_WRITE';

/** `tsrun cp CONTAINER:PATH -`: to a descriptor. */
export async function packFiles(
  engine: Engine,
  from: CopyPlace,
  output: number,
  follow: boolean,
): Promise<PackResult> {
  if (from.kind !== 'container') return await pack(engine, from, output, follow);
  return await asItIs(engine, from.view, (view) => pack(engine, { ...from, view }, output, follow));
}

async function pack(engine: Engine, from: CopyPlace, output: number, follow: boolean): Promise<PackResult> {
  const { place, job } = await openSource(engine, from, follow);
  using source = place;
  const command = workerCommand('pack', 'pack-worker');
  return await packTo(
    { start: source.start, workerCommand: command },
    { ...job, as: job.as || '.', root: source.root },
    output,
  );
}

/** `tsrun cp - CONTAINER:PATH`, `volume import`: the archive's names count from the directory `to` on. */
export async function extractArchive(
  engine: Engine,
  input: Readable,
  to: CopyPlace,
  options: Pick<CopyOptions, 'archive' | 'overwrite'>,
): Promise<CopyResult> {
  using target = await open(engine, to);
  const job = extractJob(engine, to, target, { ...options, what: 'archive', name: '' });
  return await runCopier(target.start, job, input);
}
