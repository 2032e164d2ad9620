/** AC-4.2: a file or directory of the store is lost. What lists and what cleans up works on, and `system check` repairs or says how. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Tsrun } from './tsrun.ts';

/** Every file and directory of the store down to the third level: what is deeper is a layer's or a container's own. */
export function storeObjects(root: string): string[] {
  const found: string[] = [];
  const visit = (path: string, depth: number): void => {
    for (const name of readdirSync(join(root, path)).sort()) {
      const inner = join(path, name);
      if (depth === 0 && (name === 'tmp' || name === 'locks')) continue; // made anew by whoever needs them
      found.push(inner);
      const stat = lstatSync(join(root, inner));
      if (stat.isDirectory() && (stat.mode & 0o500) === 0o500 && depth < 2) visit(inner, depth + 1);
    }
  };
  visit('', 0);
  return found;
}

const create = (tsrun: Tsrun, reference: string): Promise<string> =>
  tsrun.ok('create', '--name', 'old', '--network', 'none', '-v', 'data:/data', reference, 'true');

/** `layers/X/diff` → an example of it, for each kind of object that an image, a container and a volume consist of. */
export async function kindsOfObjects(tsrun: Tsrun, reference: string): Promise<Map<string, string>> {
  await tsrun.ok('pull', '-q', reference);
  await create(tsrun, reference);
  return new Map(storeObjects(tsrun.store.root).map((path) => [path.replace(/[0-9a-f]{64}/g, 'X'), path]));
}

/** Loses it, and gets everything into order again, as a user would. */
export async function loseObject(tsrun: Tsrun, reference: string, example: string): Promise<void> {
  const id = await tsrun.ok('ps', '-aq', '--no-trunc', '--filter', 'name=old');
  const path = example.replace(/(?<=containers\/)[0-9a-f]{64}/, id);
  await tsrun.ok('unshare', 'rm', '-rf', join(tsrun.store.root, path));
  for (const words of ['ps -a', 'images', 'volume ls', 'system df', 'image prune -f'])
    await tsrun.expect(0, words.split(' '));
  await tsrun.run(['system', 'check', '--repair']);
  await tsrun.ok('pull', '-q', reference);
  const { stdout } = await tsrun.run(['system', 'check']);
  expect(stdout, path).toMatch(/: no damage$|hint: tsrun rm -f old$|hint: tsrun volume rm -f data$/m);
  await tsrun.ok('rm', '-f', 'old');
  await tsrun.ok('volume', 'rm', '-f', 'data');
  await create(tsrun, reference);
  expect((await tsrun.expect(0, ['system', 'check'])).stdout, path).toMatch(/: no damage\n$/);
}
