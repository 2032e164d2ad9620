/**
 * build.ts DIRECTORY NAME... - makes images from what Debian packages installed here, without network, into DIRECTORY/NAME.
 *
 * `npm run build` makes BUNDLED_IMAGES; the tests make the others. None needs privileges: only archives are written.
 */
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { apache } from './apache.ts';
import { busybox } from './busybox.ts';
import { debian } from './debian.ts';
import { httpd } from './httpd.ts';
import { large, larger, layered } from './large.ts';
import { type Recipe, writeLayout } from './oci-layout.ts';
import { whiteout } from './whiteout.ts';

const RECIPES = { apache, busybox, debian, httpd, large, larger, layered, whiteout } satisfies Record<
  string,
  () => Recipe
>;

export type ImageName = keyof typeof RECIPES;

/** The images that come with tsrun. */
export const BUNDLED_IMAGES = ['busybox', 'httpd'] as const satisfies readonly ImageName[];

/** The images that only tests and the benchmark use. */
export const TEST_IMAGES = [
  'apache',
  'debian',
  'large',
  'larger',
  'layered',
  'whiteout',
] as const satisfies readonly ImageName[];

const isImageName = (name: string): name is ImageName => Object.hasOwn(RECIPES, name);

/** Writes the OCI layouts `<directory>/<name>`; each appears whole or not at all. */
export async function buildImages(names: readonly ImageName[], directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of names) {
    const unfinished = join(directory, `.${name}.new`);
    await rm(unfinished, { recursive: true, force: true });
    await writeLayout(unfinished, RECIPES[name]());
    await rm(join(directory, name), { recursive: true, force: true });
    await rename(unfinished, join(directory, name));
  }
}

if (import.meta.main) {
  const [directory, ...names] = process.argv.slice(2);
  const unknown = names.find((name) => !isImageName(name));
  if (!directory || names.length === 0 || unknown !== undefined) {
    console.error(`usage: build.ts DIRECTORY NAME...   (names: ${Object.keys(RECIPES).join(' ')})`);
    process.exit(2);
  }
  await buildImages(names.filter(isImageName), directory);
}
