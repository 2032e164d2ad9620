/**
 * `npm run build`: everything in dist/, from a tree with node_modules and a C compiler. Needs Node 24 (src/setup/node24.sh).
 *
 *   dist/native/<arch>/  the static C parts, and ffi-rs's own native file
 *   dist/images/<name>/  the images that come with tsrun, as OCI layouts
 *   dist/*.cjs, dist/bin the command line (bundle.ts), and its code caches (code-cache.ts)
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BUNDLED_IMAGES, buildImages } from '../../images/build.ts';
import { bundle } from './bundle.ts';
import { makeCodeCaches } from './code-cache.ts';
import { buildNativeParts } from './native-parts.ts';

const root = join(import.meta.dirname, '..', '..');
const dist = join(root, 'dist');
const say = (line: string): void => console.log(`build: ${line}`);

await mkdir(dist, { recursive: true });
const architectures = await buildNativeParts(root, join(dist, 'native'));
say(`native parts for ${architectures.join(', ')}`);

const images = join(dist, 'images');
await rm(images, { recursive: true, force: true });
await buildImages(BUNDLED_IMAGES, images);
say(`images ${BUNDLED_IMAGES.join(', ')}`);

await bundle(root, dist);
const warm = await makeCodeCaches(dist);
say(
  warm ? 'command line' : 'command line; no container could be started, so the first ones will start slowly',
);
