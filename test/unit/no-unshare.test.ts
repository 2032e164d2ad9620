/**
 * Node is multi-threaded: unshare(2) and setns(2) called in it fail, or move one thread only, and then file system and name look-ups
 * of libuv's other threads happen somewhere else. So they occur in src/ only as steps of programs, which a child process executes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', '..', 'src');

/** Where programs are made: their steps name the system call as a string, `call(actor, why, 'setns', …)`. */
const MAKE_PROGRAMS =
  /^(?:sys|rootless|launch|network|rootfs)\/|^engine\/(?:storage-driver|fill-volume)\.ts$/;

/** A call of a function of that name, as `libc.setns(…)` or `unshare(…)`, but not the words of a text. */
const CALL = /\b(?:unshare|setns)\s*\(/;
const STEP = /\bcall\([^;]*?['"](?:unshare|setns)['"]/;

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
const withoutTexts = (code: string): string =>
  code.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, "''");

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, code: withoutComments(readFileSync(join(SRC, name), 'utf8')) }));

describe('unshare and setns', () => {
  it('are recognised', () => {
    expect(CALL.test(withoutTexts("unshare(CLONE_NEWNS) + 'a'"))).toBe(true);
    expect(CALL.test(withoutTexts('libc.setns (fd, 0)'))).toBe(true);
    expect(CALL.test(withoutTexts("say('unshare(2) failed')"))).toBe(false);
    expect(STEP.test("call('rootless', 'join', 'setns', [pidfd])")).toBe(true);
    expect(sources.some(({ code }) => STEP.test(code))).toBe(true);
  });

  it('are called by no function of Node’s process', () => {
    expect(sources.filter(({ code }) => CALL.test(withoutTexts(code))).map(({ name }) => name)).toEqual([]);
  });

  it('are steps only where programs are made', () => {
    const makers = sources.filter(({ code }) => STEP.test(code)).map(({ name }) => name);
    expect(makers.filter((name) => !MAKE_PROGRAMS.test(name))).toEqual([]);
  });
});
