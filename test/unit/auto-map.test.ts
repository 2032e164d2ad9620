/** The ranges of `--userns auto`. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { autoMaps, idsWanted } from '../../src/rootless/auto-map.ts';
import type { IdMaps } from '../../src/rootless/id-map.ts';

test('as many ids as the image names users and groups, 1024 at least, and nobody does not count', () => {
  expect(idsWanted([undefined, undefined], '')).toBe(1024);
  expect(idsWanted(['root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n', ''], '')).toBe(1024);
  expect(idsWanted(['app:x:5000:10::/:/bin/sh', 'root:x:0:\nstaff:x:7000:app'], '')).toBe(7001);
  expect(idsWanted(['root:x:0:0::/:/bin/sh'], '9000:20')).toBe(9001);
  expect(idsWanted(['broken', 'x:y:z:w'], 'name')).toBe(1024);
});

test('ranges never meet, leave the user’s own id out, and fill what others have left', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 4000 }), fc.boolean())), (wishes) => {
      const total = 20_000;
      let taken: IdMaps[] = [];
      for (const [size, leaves] of wishes) {
        const maps = autoMaps(total, size, taken);
        const used = taken.reduce((sum, { uids }) => sum + (uids[0]?.size ?? 0), 0);
        if (maps === undefined) expect(taken.length > 0 || size >= total).toBe(true);
        else {
          const [{ hostID: start } = { hostID: 0 }] = maps.uids;
          expect(start).toBeGreaterThan(0);
          expect(start + size).toBeLessThanOrEqual(total);
          expect(used + size).toBeLessThan(total);
          for (const { uids } of taken) {
            const [other = { hostID: 0, size: 0 }] = uids;
            expect(start >= other.hostID + other.size || start + size <= other.hostID).toBe(true);
          }
          taken = [...taken, maps];
        }
        if (leaves) taken = taken.slice(1);
      }
    }),
  );
  expect(autoMaps(10, 9, [])?.uids).toEqual([{ containerID: 0, hostID: 1, size: 9 }]);
  expect(autoMaps(10, 10, [])).toBeUndefined();
});
