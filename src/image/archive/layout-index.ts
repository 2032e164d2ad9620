/** The index of an OCI image layout: the names that its entries have, and what becomes of them when images are added. */
import type { Descriptor, Digest, Index } from '../../spec/image.ts';

/** What docker and containerd write besides {@link REF_NAME}, with the full name. */
const IMAGE_NAME = 'io.containerd.image.name';
/** image-spec annotations.md; often a mere tag */
const REF_NAME = 'org.opencontainers.image.ref.name';

/** The names of an entry of index.json, the fullest first. */
export const namesOf = ({ annotations }: Descriptor): string[] =>
  [annotations?.[IMAGE_NAME], annotations?.[REF_NAME]].filter(
    (name) => typeof name === 'string' && name !== '',
  ) as string[];

/** The name that an entry of index.json has; undefined for none. */
export const annotatedName = (entry: Descriptor): string | undefined => namesOf(entry)[0];

/** The entry with `name` as its only one, for every reader. */
export const named = (entry: Descriptor, name: string): Descriptor => ({
  ...entry,
  annotations: { ...entry.annotations, [REF_NAME]: name, [IMAGE_NAME]: name },
});

function withoutNames(entry: Descriptor, names: ReadonlySet<string>): Descriptor {
  const annotations = { ...entry.annotations };
  for (const key of [IMAGE_NAME, REF_NAME]) if (names.has(annotations[key] ?? '')) delete annotations[key];
  return { ...entry, annotations };
}

/**
 * `old` with the entries of `added`. A name is given to the last image that came by it: entries that had it lose it, and those that had no
 * other are gone. An image that has a name anywhere needs no entry without one.
 */
export function mergeIndex(old: Index, added: Index): Index {
  const names = new Set(added.manifests.flatMap(namesOf));
  const isIn = (entries: readonly Descriptor[], digest: Digest): boolean =>
    entries.some((entry) => entry.digest === digest);
  const kept = old.manifests.flatMap((entry) => {
    if (namesOf(entry).length === 0) return isIn(added.manifests, entry.digest) ? [] : [entry];
    const left = withoutNames(entry, names);
    return namesOf(left).length === 0 ? [] : [left];
  });
  const fresh = added.manifests.filter((entry) => namesOf(entry).length > 0 || !isIn(kept, entry.digest));
  return { ...old, ...added, manifests: [...kept, ...fresh] };
}
