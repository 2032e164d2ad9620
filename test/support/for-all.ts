/** Does `act` for all of `items`, `atOnce` at a time; the results are in the order of the items. */
export async function forAll<T, R>(
  items: readonly T[],
  atOnce: number,
  act: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const work = async (): Promise<void> => {
    for (const [i, item] of waiting) results[i] = await act(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}
