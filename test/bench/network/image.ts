/** The image of the network's measurements: busybox, this machine's iperf3 and ab with their libraries, and exchange.c. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pushDerived } from '../../support/derived-image.ts';
import { directory, file, tarArchive } from '../../support/tar-builder.ts';

export const IMAGE = 'bench-network';

/** Where the programs are, inside as outside. */
export interface Programs {
  iperf3: string;
  exchange: string;
  ab: string;
}

const text = (program: string, ...words: string[]): string =>
  execFileSync(program, words, { encoding: 'utf8' });

/** @throws Error when the machine has no iperf3, no ab, or no compiler */
export function makePrograms(scratch: string): Programs {
  const exchange = join(scratch, 'exchange');
  execFileSync('cc', ['-O2', '-static', '-o', exchange, join(import.meta.dirname, 'exchange.c')]);
  const find = (name: string, packageName: string): string => {
    try {
      return text('sh', '-c', `command -v ${name}`).trim();
    } catch {
      throw new Error(`there is no ${name}: sudo apt-get install ${packageName}`);
    }
  };
  return { iperf3: find('iperf3', 'iperf3'), exchange, ab: find('ab', 'apache2-utils') };
}

/** Paths that a program is linked with, the dynamic linker among them. */
const libraries = (program: string): string[] =>
  [...text('ldd', program).matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].flatMap(([, path]) => path ?? []);

const parents = (path: string): string[] =>
  path === '/' || path === '.' ? [] : [...parents(dirname(path)), path];

export async function pushImage(host: string, { iperf3, exchange, ab }: Programs): Promise<void> {
  const copied = [...new Set([iperf3, ...libraries(iperf3), ab, ...libraries(ab)])].map(
    (path) => [path, path] as const,
  );
  const files = [...copied, ['/usr/bin/exchange', exchange] as const];
  const directories = new Set(files.flatMap(([path]) => parents(dirname(path))));
  const layer = tarArchive(
    ...[...directories].map((path) => directory(`${path.slice(1)}/`)),
    ...files.map(([path, source]) => file(path.slice(1), readFileSync(source), { mode: 0o755 })),
  );
  await pushDerived(host, IMAGE, [layer]);
}
