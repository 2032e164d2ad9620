import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapSize, toContainer, toHost } from '../../src/rootless/id-map.ts';
import { parseSubordinateIds, rootlessMap } from '../../src/rootless/subordinate-ids.ts';

/** Pieces of lines, so that whole ones come together often. */
const token = fc.oneof(
  fc.constantFrom(
    'alice:',
    '1001:',
    'bob:',
    ':',
    '\n',
    '\nalice:1:',
    ' ',
    '-',
    '#',
    '0x',
    '99999999999999999999',
  ),
  fc.nat().map(String),
);

const alice = { name: 'alice', uid: 1001 };

describe('/etc/subuid', () => {
  it('is read by name and by number, sorted by start', () => {
    const text = 'bob:200000:65536\n1001:300000:10\nalice:100000:65536\n';
    expect(parseSubordinateIds(text, alice)).toEqual([
      { start: 100000, count: 65536 },
      { start: 300000, count: 10 },
    ]);
  });

  it('gives nobody the range of a user whose name only begins the same', () => {
    expect(parseSubordinateIds('alice2:1:2\nalic:3:4\n10011:5:6\n', alice)).toEqual([]);
  });

  it.each([
    ['comment', '# alice:100000:65536'],
    ['field missing', 'alice:100000'],
    ['field too many', 'alice:100000:65536:7'],
    ['no number', 'alice:1e5:65536'],
    ['negative', 'alice:-5:65536'],
    ['hexadecimal', 'alice:0x100:16'],
    ['empty range', 'alice:100000:0'],
    ['empty line', ''],
  ])('passes over a broken line: %s', (_, line) => {
    expect(parseSubordinateIds(`${line}\nalice:500000:1\n`, alice)).toEqual([{ start: 500000, count: 1 }]);
  });

  it('may lack its last newline and have blanks around', () => {
    expect(parseSubordinateIds('  alice:100000:65536 ', alice)).toEqual([{ start: 100000, count: 65536 }]);
  });

  it('survives any text', () => {
    fc.assert(
      fc.property(
        fc.array(token).map((tokens) => tokens.join('')),
        (text) => {
          for (const { start, count } of parseSubordinateIds(text, alice)) {
            expect(start).toBeGreaterThanOrEqual(0);
            expect(count).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('the rootless map', () => {
  it('is the user alone without ranges', () => {
    expect(rootlessMap(1001, [])).toEqual([{ containerID: 0, hostID: 1001, size: 1 }]);
  });

  it('puts several ranges one after the other, from container 1', () => {
    expect(
      rootlessMap(1001, [
        { start: 100000, count: 10 },
        { start: 500000, count: 5 },
      ]),
    ).toEqual([
      { containerID: 0, hostID: 1001, size: 1 },
      { containerID: 1, hostID: 100000, size: 10 },
      { containerID: 11, hostID: 500000, size: 5 },
    ]);
  });

  it('has no hole inside, and root inside is the user', () => {
    const ranges = fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 5 }).map((counts) => {
      let start = 100000;
      return counts.map((count) => {
        const range = { start, count };
        start += count + 7;
        return range;
      });
    });
    fc.assert(
      fc.property(ranges, (list) => {
        const map = rootlessMap(1001, list);
        expect(toHost(map, 0)).toBe(1001);
        expect(toContainer(map, 1001)).toBe(0);
        const size = mapSize(map);
        expect(toHost(map, size - 1)).toBeDefined();
        expect(toHost(map, size)).toBeUndefined();
        for (let inside = 0; inside < size; inside += 97) expect(toHost(map, inside)).toBeDefined();
      }),
    );
  });
});
