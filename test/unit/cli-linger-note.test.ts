/** SUP-15: the note that a detached container will not outlive the login, on directories that look as logind's. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lingerNote } from '../../src/cli/linger-note.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsrun-linger-'));
  for (const name of ['users', 'linger', 'runtime']) mkdirSync(join(root, name));
});
afterEach(() => rmSync(root, { recursive: true }));

const uid = process.getuid!();
const note = () =>
  lingerNote(join(root, 'runtime'), { users: join(root, 'users'), linger: join(root, 'linger') }, () => ({
    uid,
    username: 'alice',
  }));
const logIn = () => writeFileSync(join(root, 'users', String(uid)), 'NAME=alice\n');

describe('the note on lingering', () => {
  it('is made once for a login, and again for the next', () => {
    logIn();
    expect(note()).toMatch(/alice.*log out.*loginctl enable-linger$/);
    expect(note()).toBeUndefined();
    rmSync(join(root, 'runtime', 'linger-noted'));
    expect(note()).toBeDefined();
  });

  it('is not made for whom logind does not know, nor for who lingers', () => {
    expect(note()).toBeUndefined();
    logIn();
    writeFileSync(join(root, 'linger', 'alice'), '');
    expect(note()).toBeUndefined();
  });
});
