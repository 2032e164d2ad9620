/**
 * The images that tests use (images/), as OCI layouts. They are made once per user and kept in ~/.cache/tsrun-tests, until a recipe or
 * the machine's packages change.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ImageName } from '../../images/build.ts';

export type TestImageName = ImageName;

const RECIPES = join(import.meta.dirname, '..', '..', 'images');

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(RECIPES).sort()) hash.update(readFileSync(join(RECIPES, name)));
  hash.update(String(statSync('/var/lib/dpkg/status').mtimeMs));
  return hash.digest('hex').slice(0, 16);
}

/** Path of the OCI layout of `name`, made if it is not there. Its one image is tagged `latest`. */
export async function testImage(name: TestImageName): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'tsrun-tests');
  const current = join(cache, fingerprint());
  const layout = join(current, name);
  if (existsSync(layout)) return layout;
  await mkdir(current, { recursive: true });
  const stale = readdirSync(cache).filter((entry) => join(cache, entry) !== current);
  await Promise.all(stale.map((entry) => rm(join(cache, entry), { recursive: true })));
  const unfinished = `${current}/.${process.pid}`;
  await promisify(execFile)(process.execPath, [join(RECIPES, 'build.ts'), unfinished, name]);
  if (!existsSync(layout)) await rename(join(unfinished, name), layout);
  await rm(unfinished, { recursive: true });
  return layout;
}
