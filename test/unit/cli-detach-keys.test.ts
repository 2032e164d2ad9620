import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DetachKeys, parseDetachKeys } from '../../src/cli/attach/detach-keys.ts';

const CTRL_P = 0x10;
const CTRL_Q = 0x11;

describe('--detach-keys', () => {
  it.each([
    ['ctrl-p,ctrl-q', [CTRL_P, CTRL_Q]],
    ['CTRL-P', [CTRL_P]],
    ['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 27, 28, 29, 30, 31]],
    ['a,Z,DEL', [97, 90, 127]],
    ['', []],
  ])('%j', (text, bytes) => {
    expect([...parseDetachKeys(text)]).toEqual(bytes);
  });

  it.each(['ctrl-', 'ctrl-1', 'ctrl-pp', 'ab', 'a,,b', 'ä'])('refuses %j', (text) => {
    expect(() => parseDetachKeys(text)).toThrow(expect.objectContaining({ code: 'ERR_TSRUN_USAGE' }));
  });
});

describe('typed keys', () => {
  const type = (keys: Uint8Array, ...chunks: number[][]): { pass: number[]; detached: boolean } => {
    const detector = new DetachKeys(keys);
    const pass: number[] = [];
    for (const chunk of chunks) {
      const result = detector.push(Uint8Array.from(chunk));
      pass.push(...result.pass);
      if (result.detached) return { pass, detached: true };
    }
    return { pass, detached: false };
  };
  const usual = Uint8Array.of(CTRL_P, CTRL_Q);

  it('detach when the sequence is complete, in one chunk or in several', () => {
    expect(type(usual, [97, CTRL_P, CTRL_Q, 98])).toEqual({ pass: [97], detached: true });
    expect(type(usual, [97, CTRL_P], [CTRL_Q])).toEqual({ pass: [97], detached: true });
  });

  it('pass through when they turn out not to be the sequence: ctrl-p recalls a shell’s last command', () => {
    expect(type(usual, [CTRL_P, 97])).toEqual({ pass: [CTRL_P, 97], detached: false });
    expect(type(usual, [CTRL_P], [CTRL_P], [CTRL_Q])).toEqual({ pass: [CTRL_P], detached: true });
    expect(type(usual, [CTRL_Q])).toEqual({ pass: [CTRL_Q], detached: false });
  });

  it('detach only at the sequence, and lose no byte before it', () => {
    const key = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(
        fc.array(key, { minLength: 1, maxLength: 4 }),
        fc.array(fc.array(key)),
        (sequence, chunks) => {
          const typed = chunks.flat();
          const text = String.fromCharCode(...typed);
          const at = text.indexOf(String.fromCharCode(...sequence));
          const { pass, detached } = type(Uint8Array.from(sequence), ...chunks);
          expect(detached).toBe(at !== -1);
          if (at !== -1) expect(pass).toEqual(typed.slice(0, at));
          else {
            // What is held back is a beginning of the sequence.
            expect(typed.slice(0, pass.length)).toEqual(pass);
            expect(sequence.slice(0, typed.length - pass.length)).toEqual(typed.slice(pass.length));
          }
        },
      ),
    );
  });

  it('are all passed on when there is no sequence', () => {
    expect(type(new Uint8Array(), [CTRL_P, CTRL_Q])).toEqual({ pass: [CTRL_P, CTRL_Q], detached: false });
  });
});
