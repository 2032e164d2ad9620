/**
 * All layers of an image, lowest first, into the store.
 *
 *   downloads   [1====][2==========][3===][4==]         a few at a time
 *   unpacking     [1=====] [2=========][3=][4==]        one after the other, each as its bytes come
 *   made durable           [1=]        [2=][3=][4=]     beside the next one's unpacking
 *   published                                  1234     by rename, lowest first
 *
 * Deadlocks are impossible: whoever holds a blob waits for nothing but its source, and layers are locked from the lowest up, which is
 * the same order in all images that share them.
 */
import { TsrunError } from '../../errors.ts';
import type { FileLock } from '../../store/lock.ts';
import { layerDiff } from '../../store/paths.ts';
import { type BlobFetchContext, type BlobFetches, isBlobIntact, type OpenedBlob } from './blob-fetches.ts';
import {
  type PlannedLayer,
  requireLayerType,
  type UnpackContext,
  type UnpackedLayer,
  unpackLayer,
} from './unpack-layer.ts';

type FetchContext = Omit<BlobFetchContext, 'source' | 'signal'> & UnpackContext;

/** A layer of this pull that has no name yet. */
type PendingLayer = UnpackedLayer & { planned: PlannedLayer; lock: FileLock };

/**
 * Fetches and unpacks what is missing. On failure, layers that are whole are kept, and the rest leaves no trace but partial blobs.
 * @param fetches those of this pull, of which some may be under way
 */
export async function fetchLayers(
  context: Omit<FetchContext, 'signal'>,
  fetches: BlobFetches,
  planned: PlannedLayer[],
): Promise<void> {
  for (const layer of planned) requireLayerType(layer.descriptor);
  const inner: FetchContext = { ...context, signal: fetches.signal };
  const pending: PendingLayer[] = [];
  const unpackedBefore = planned.filter(({ chainId }) => inner.layers.has(chainId));
  try {
    await announce(inner, planned, fetches);
    for (const [i, layer] of planned.entries()) {
      const made = await makeLayer(inner, fetches, layer, () =>
        lowersOf(inner, planned.slice(0, i), pending),
      );
      if (made !== undefined) pending.push(made);
    }
    for (const { descriptor } of planned) {
      if (!inner.blobs.has(descriptor.digest)) await (await fetches.open(descriptor)).done;
    }
    for (const { descriptor } of unpackedBefore)
      if (fetches.has(descriptor))
        inner.emit({ type: 'layer', digest: descriptor.digest, status: 'complete' });
  } catch (error) {
    fetches.stop(error);
    await publishAll(inner, pending).catch(() => {}); // what failed first is what the user hears of
    await fetches.settled();
    throw error;
  }
  inner.unpacker.close().catch(() => {}); // whoever opened it waits for its end; it may end while layers become durable
  await publishAll(inner, pending);
}

/** Says of every layer where it stands, and starts fetching those that are missing. */
async function announce(context: FetchContext, planned: PlannedLayer[], fetches: BlobFetches): Promise<void> {
  for (const { descriptor, chainId } of planned) {
    if (fetches.has(descriptor)) continue; // which was said when that began
    // An unpacked layer whose blob is lost is pulled like any other, only not unpacked.
    const isThere = context.layers.has(chainId) && context.blobs.has(descriptor.digest);
    context.emit({ type: 'layer', digest: descriptor.digest, status: isThere ? 'exists' : 'waiting' });
  }
  const isMissing = ({ chainId }: PlannedLayer): boolean => !context.layers.has(chainId);
  if (planned.some(isMissing)) {
    await context.unpacker.prepare(); // which may find that nothing can be unpacked here
    context.unpacker.expect(planned.map(({ descriptor }) => descriptor));
  }
  for (const { descriptor } of planned.filter(isMissing)) fetches.open(descriptor).catch(() => {}); // makeLayer awaits it
}

/** Diff directories of the layers below, top first; those of this pull are still in tmp/. */
function lowersOf(context: FetchContext, below: PlannedLayer[], pending: PendingLayer[]): string[] {
  const directories = below.map(({ chainId }) => {
    const unnamed = pending.find((layer) => layer.planned.chainId === chainId);
    return unnamed?.layer.diffDirectory ?? layerDiff(context.layers.paths, chainId);
  });
  return directories.reverse();
}

/** Makes one layer; undefined when it exists, perhaps because another process made it while this one waited. */
async function makeLayer(
  context: FetchContext,
  fetches: BlobFetches,
  planned: PlannedLayer,
  lowers: () => string[],
): Promise<PendingLayer | undefined> {
  const { layers, emit, signal } = context;
  const { chainId, descriptor } = planned;
  if (layers.has(chainId)) return undefined;
  const onWait = (): void => emit({ type: 'layer', digest: descriptor.digest, status: 'shared' });
  const lock = await layers.lock(chainId, { signal, onWait });
  try {
    if (layers.has(chainId)) {
      emit({ type: 'layer', digest: descriptor.digest, status: 'exists' });
      lock.releaseAndRemove();
      return undefined;
    }
    const unpacked = await unpackTwice(context, fetches, planned, lowers());
    return { ...unpacked, planned, lock };
  } catch (error) {
    lock.releaseAndRemove();
    throw error;
  }
}

/** Bytes that were in the store before this pull may have suffered (a power cut, a failing disk): then once more, with new ones. */
async function unpackTwice(
  context: FetchContext,
  fetches: BlobFetches,
  planned: PlannedLayer,
  lowers: string[],
): Promise<UnpackedLayer> {
  const { descriptor } = planned;
  let blob: OpenedBlob | undefined;
  try {
    blob = await fetches.open(descriptor);
    return await unpackLayer(context, planned, blob, lowers);
  } catch (error) {
    if (blob === undefined || !blob.isOld || context.signal.aborted) throw error;
    const isMismatch = error instanceof TsrunError && error.code === 'ERR_TSRUN_MISMATCH';
    if (blob.isDone() ? await isBlobIntact(context.blobs, descriptor.digest) : !isMismatch) throw error;
    const text = `what the store had of layer ${descriptor.digest} was damaged; fetching it again`;
    context.emit({ type: 'warning', text });
    return unpackLayer(context, planned, await fetches.restart(descriptor), lowers);
  }
}

/** Names the layers, lowest first; after one that cannot be named the higher ones go. */
async function publishAll(context: FetchContext, pending: PendingLayer[]): Promise<void> {
  let failure: { error: unknown } | undefined;
  let isAnyNamed = false;
  for (const { layer, sealed, planned, lock } of pending) {
    try {
      await sealed;
      if (failure !== undefined) throw failure.error;
      await layer.publish();
      isAnyNamed = true;
      context.emit({ type: 'layer', digest: planned.descriptor.digest, status: 'complete' });
    } catch (error) {
      failure ??= { error };
      await layer.abandon();
    } finally {
      lock.releaseAndRemove();
    }
  }
  if (isAnyNamed) context.layers.syncNames();
  if (failure !== undefined) throw failure.error;
}
