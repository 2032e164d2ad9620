import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as messages from '../../../src/supervisor/messages.ts';
import * as protocol from '../../../src/supervisor/protocol.ts';
import { encodeSpec } from '../../../src/supervisor/spec.ts';

const header = readFileSync(new URL('../../../native/protocol.h', import.meta.url), 'utf8');

/** NAME → number, of the #defines and enum members of protocol.h. */
function headerNumbers(): Map<string, number> {
  const found = [
    ...header.matchAll(/^#define ([A-Z0-9_]+) (0x[0-9a-f]+|\d+)u?\b/gm),
    ...header.matchAll(/^\t([A-Z0-9_]+) = (\d+),/gm),
  ];
  return new Map(found.map(([, name = '', value]) => [name, Number(value)]));
}

describe('protocol.ts and protocol.h', () => {
  test('list the same names and numbers', () => {
    const ours = Object.entries(protocol).filter(
      ([name, value]) => typeof value === 'number' && name !== 'FRAME_HEADER_SIZE',
    );
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(headerNumbers()));
    expect(ours.length).toBeGreaterThan(35);
  });

  test('the diagram of messages.ts names every frame', () => {
    const source = readFileSync(new URL('../../../src/supervisor/messages.ts', import.meta.url), 'utf8');
    const diagram = source.slice(0, source.indexOf('*/'));
    const names = Object.keys(protocol).filter((name) => /^FRAME_(?!MAX|HEADER)/.test(name));
    for (const name of names) expect(diagram).toMatch(new RegExp(`\\b${name.slice('FRAME_'.length)}\\b`));
  });
});

describe('frames', () => {
  const frame = fc.record({ type: fc.nat(255), payload: fc.uint8Array({ maxLength: 300 }) });

  test('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 50 })), (frames, cuts) => {
        const stream = Buffer.concat(frames.map(({ type, payload }) => protocol.encodeFrame(type, payload)));
        const decoder = new protocol.FrameDecoder();
        const decoded: protocol.Frame[] = [];
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          decoded.push(...decoder.push(stream.subarray(at, at + cut)));
          at += cut;
        }
        expect(decoded.map(({ type, payload }) => [type, payload.toString('hex')])).toEqual(
          frames.map(({ type, payload }) => [type, Buffer.from(payload).toString('hex')]),
        );
        expect(decoder.pending).toBe(0);
      }),
    );
  });

  test('an unfinished frame is pending', () => {
    const decoder = new protocol.FrameDecoder();
    expect(decoder.push(protocol.encodeFrame(3, Buffer.from('abc')).subarray(0, 9))).toEqual([]);
    expect(decoder.pending).toBe(9);
  });

  test('over the limit they are refused on both sides', () => {
    expect(() => protocol.encodeFrame(3, Buffer.alloc(protocol.FRAME_MAX + 1))).toThrow(RangeError);
    const bytes = protocol.encodeFrame(3);
    bytes.writeUInt32LE(protocol.FRAME_MAX + 1, 4);
    expect(() => new protocol.FrameDecoder().push(bytes)).toThrow(RangeError);
  });
});

describe('messages', () => {
  const parse = (type: number, ...numbers: number[]): messages.SupervisorMessage | undefined => {
    const payload = Buffer.alloc(4 * numbers.length);
    numbers.forEach((value, i) => {
      payload.writeUInt32LE(value, 4 * i);
    });
    return messages.parseMessage({ type, payload });
  };

  test('from the supervisor', () => {
    expect(parse(protocol.FRAME_STARTED, 42)).toEqual({ type: 'started', pid: 42 });
    expect(parse(protocol.FRAME_FAILED, 0, 7, 2)).toEqual({
      type: 'failed',
      program: 'start',
      op: 7,
      errno: 2,
      words: '',
    });
    expect(parse(protocol.FRAME_FAILED, 1, protocol.NO_OP, 22)).toMatchObject({
      program: 'cleanup',
      op: undefined,
    });
    expect(parse(protocol.FRAME_EXIT, 0, 3)).toEqual({ type: 'exit', status: { kind: 'exited', code: 3 } });
    expect(parse(protocol.FRAME_EXIT, 1, 9)).toEqual({
      type: 'exit',
      status: { kind: 'signaled', signal: 9 },
    });
    expect(parse(protocol.FRAME_EXIT, 2, 0)).toEqual({ type: 'exit', status: { kind: 'unknown' } });
    expect(parse(protocol.FRAME_LOST, 5, 1)).toEqual({ type: 'lost', bytes: 2 ** 32 + 5 });
    expect(parse(99)).toBeUndefined();
  });

  test('input longer than a frame becomes several', () => {
    const decoder = new protocol.FrameDecoder();
    const lengths = decoder
      .push(messages.stdin(Buffer.alloc(2 * protocol.FRAME_MAX + 1)))
      .map((f) => f.payload.length);
    expect(lengths).toEqual([protocol.FRAME_MAX, protocol.FRAME_MAX, 1]);
  });
});

describe('the spec', () => {
  test('places programs at multiples of 8', () => {
    const start = Buffer.from('start program');
    const bytes = encodeSpec({ start, cleanup: Buffer.from('cleanup!'), bootId: 'b', stdinOnce: true });
    expect(bytes.readUInt32LE(4)).toBe(bytes.length);
    expect(bytes.readUInt32LE(8)).toBe(protocol.SPEC_STDIN_ONCE);
    const [startAt, cleanupAt] = [bytes.readUInt32LE(16), bytes.readUInt32LE(24)];
    expect([startAt % 8, cleanupAt % 8]).toEqual([0, 0]);
    expect(bytes.toString('latin1', startAt, startAt + bytes.readUInt32LE(20))).toBe('start program');
    expect(bytes.toString('latin1', cleanupAt, cleanupAt + bytes.readUInt32LE(28))).toBe('cleanup!');
  });

  test('refuses a log name that does not fit', () => {
    const log = { name: 'x'.repeat(64), maxBytes: 0, files: 1 };
    expect(() => encodeSpec({ start: Buffer.alloc(8), bootId: '', log })).toThrow(RangeError);
  });
});
