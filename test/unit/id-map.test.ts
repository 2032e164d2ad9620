/** The algebra of id maps, as properties over random maps. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compose,
  type IdMapEntry,
  invert,
  mapArguments,
  mapLines,
  mapSize,
  toContainer,
  toHost,
} from '../../src/rootless/id-map.ts';

/** Maps as the kernel accepts them: neither side overlaps itself. Holes on both sides, in any order of the outside. */
const idMap = fc
  .array(fc.record({ size: fc.integer({ min: 1, max: 20 }), gap: fc.integer({ min: 0, max: 10 }) }), {
    maxLength: 6,
  })
  .chain((parts) =>
    fc.tuple(
      fc.constant(parts),
      fc.shuffledSubarray(
        parts.map((_, index) => index),
        { minLength: parts.length },
      ),
      fc.array(fc.integer({ min: 0, max: 10 }), { minLength: parts.length, maxLength: parts.length }),
    ),
  )
  .map(([parts, order, gaps]) => {
    const hosts = new Map<number, number>();
    let outside = 0;
    order.forEach((part, position) => {
      outside += gaps[position] ?? 0;
      hosts.set(part, outside);
      outside += parts[part]?.size ?? 0;
    });
    let inside = 0;
    return parts.map(({ size, gap }, index): IdMapEntry => {
      const containerID = inside + gap;
      inside = containerID + size;
      return { containerID, hostID: hosts.get(index) ?? 0, size };
    });
  });

/** Ids that random maps have, lack and border on. */
const id = fc.integer({ min: 0, max: 200 });

describe('an id map', () => {
  it('leads there and back', () => {
    fc.assert(
      fc.property(idMap, id, (map, inside) => {
        const outside = toHost(map, inside);
        if (outside !== undefined) expect(toContainer(map, outside)).toBe(inside);
      }),
    );
  });

  it('maps no two ids to one', () => {
    fc.assert(
      fc.property(idMap, (map) => {
        const outside = Array.from({ length: 200 }, (_, inside) => toHost(map, inside)).filter(
          (host) => host !== undefined,
        );
        expect(new Set(outside).size).toBe(outside.length);
        expect(outside.length).toBe(mapSize(map));
      }),
    );
  });

  it('has holes where no entry is', () => {
    fc.assert(
      fc.property(idMap, id, (map, inside) => {
        const covered = map.some((e) => inside >= e.containerID && inside < e.containerID + e.size);
        expect(toHost(map, inside) !== undefined).toBe(covered);
      }),
    );
  });

  it('inverted, exchanges inside and outside; twice inverted, is itself', () => {
    fc.assert(
      fc.property(idMap, id, (map, some) => {
        expect(toHost(invert(map), some)).toBe(toContainer(map, some));
        expect(invert(invert(map))).toEqual([...map].sort((a, b) => a.containerID - b.containerID));
      }),
    );
  });

  it('composed, is one map after the other', () => {
    fc.assert(
      fc.property(idMap, idMap, id, (outer, inner, nested) => {
        const between = toHost(inner, nested);
        const expected = between === undefined ? undefined : toHost(outer, between);
        expect(toHost(compose(outer, inner), nested)).toBe(expected);
      }),
    );
  });

  it('composes associatively, and with the identity to itself', () => {
    const everything: IdMapEntry[] = [{ containerID: 0, hostID: 0, size: 1000 }];
    fc.assert(
      fc.property(idMap, idMap, idMap, id, (a, b, c, some) => {
        expect(toHost(compose(compose(a, b), c), some)).toBe(toHost(compose(a, compose(b, c)), some));
        expect(toHost(compose(a, everything), some)).toBe(toHost(a, some));
        expect(toHost(compose(everything, a), some)).toBe(toHost(a, some));
      }),
    );
  });

  it('says itself as newuidmap and as the kernel want it', () => {
    const map = [
      { containerID: 0, hostID: 1000, size: 1 },
      { containerID: 1, hostID: 100000, size: 65536 },
    ];
    expect(mapArguments(map)).toEqual(['0', '1000', '1', '1', '100000', '65536']);
    expect(mapLines(map)).toBe('0 1000 1\n1 100000 65536\n');
  });
});
