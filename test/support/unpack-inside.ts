/** Unpacks archives with the real worker, or at once, in the rootless namespaces of the user who runs the tests. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { UnpackResult } from '../../src/image/layer-sink.ts';
import { DEFAULT_LIMITS, type UnpackLimits } from '../../src/image/unpack/limits.ts';
import { createUnpacker } from '../../src/image/unpack/start-unpack.ts';
import { startByRootless } from '../../src/image/unpack/unpack-process.ts';
import { newRootless, type Rootless, removeTreeInside } from '../../src/rootless/enter.ts';
import { wholeFile } from './growing-file.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What is built, as `npm test` does first, starts faster; but not when a source is newer. */
export function workerFile(folder: 'unpack' | 'pack', worker: string): string {
  const sources = join(ROOT, 'src/image', folder);
  const time = (path: string): number => fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const built = [join(ROOT, 'dist/bin', `${worker}.cjs`), join(ROOT, 'dist', `${worker}.cjs`)];
  const newest = Math.max(...fs.readdirSync(sources).map((name) => time(join(sources, name))));
  return Math.min(...built.map(time)) > newest ? (built[0] ?? '') : join(sources, `${worker}.ts`);
}

export const WORKER = workerFile('unpack', 'unpack-worker');

export interface UnpackInside {
  /** Of the topmost layer. */
  result: UnpackResult;
  /** The topmost first. */
  directories: string[];
  /** How many workers were started. */
  workers: number;
}

export interface UnpackInsideOptions {
  limits?: Partial<UnpackLimits>;
  singleUid?: boolean;
  rootless?: Rootless;
  /** A single archive is announced as an image of one small layer is, which needs no worker if it is plain. */
  atOnce?: boolean;
}

/** A directory that {@link removeInside} removes, whoever owns what is in it by then. */
export const scratchDirectory = (): string => {
  const directory = fs.mkdtempSync(join(tmpdir(), 'tsrun-unpack-'));
  fs.chmodSync(directory, 0o755);
  return directory;
};

/** Makes another directory in `scratch` each time it is called. */
export function directoriesIn(scratch: string): () => string {
  let count = 0;
  return () => {
    const path = join(scratch, String(count++));
    fs.mkdirSync(path);
    return path;
  };
}

export const removeInside = (...paths: string[]): void => removeTreeInside(newRootless(), paths);

/** Unpacks into `<parent>/layer0`, `layer1`, …: the lowest first. Rejects as the unpacker does. */
export async function unpackInside(
  parent: string,
  archives: readonly Buffer[],
  options: UnpackInsideOptions = {},
): Promise<UnpackInside> {
  const rootless = options.rootless ?? newRootless();
  const start = startByRootless(rootless);
  let workers = 0;
  const unpacker = createUnpacker({
    start: (...command) => {
      workers++;
      return start(...command);
    },
    workerCommand: [process.execPath, WORKER],
    singleUid: options.singleUid ?? rootless.maps.single,
    ...(options.atOnce && { rootless }),
    sync: false,
    limits: () => ({ ...DEFAULT_LIMITS, ...options.limits }),
  });
  const directories: string[] = [];
  let result: UnpackResult | undefined;
  if (options.atOnce) unpacker.expect(archives.map(({ length: size }) => ({ size })));
  for (const archive of archives) {
    const diffDirectory = join(parent, `layer${directories.length}`);
    fs.mkdirSync(diffDirectory);
    const unpacking = unpacker.open({
      diffDirectory,
      lowers: [...directories],
      blob: wholeFile(archive),
    });
    directories.unshift(diffDirectory);
    result = await unpacking.finish();
  }
  await unpacker.close();
  if (!result) throw new Error('no archives');
  return { result, directories, workers };
}

/** Runs a shell script as root of the rootless namespaces and returns what it writes to its stdout. */
export async function shellInside(script: string): Promise<string> {
  const process = startByRootless(newRootless())(['/bin/bash', '-ec', `exec 1>&3; ${script}`]);
  process.stdin.end();
  const [output, errors] = await Promise.all([text(process.result), text(process.stderr)]);
  const ending = process.reap();
  if (ending !== 'with status 0') throw new Error(`the script ended ${ending}: ${errors}`);
  return output;
}
