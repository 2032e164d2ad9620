/** Compiles native/ for this architecture, and for the other one where its cross compiler is installed. */
import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { access, copyFile, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Node's name of an architecture → the C compiler's target. */
const TARGETS: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

async function isInPath(command: string): Promise<boolean> {
  const found = await Promise.allSettled(
    (process.env.PATH ?? '')
      .split(delimiter)
      .map((directory) => access(join(directory, command), constants.X_OK)),
  );
  return found.some(({ status }) => status === 'fulfilled');
}

/** The compiler for `architecture`, or undefined where there is none. $CC is this machine's own, if set. */
async function compilerFor(architecture: string): Promise<string | undefined> {
  const candidates =
    architecture === process.arch
      ? [process.env.CC ?? 'cc', 'gcc', 'clang']
      : [`${TARGETS[architecture]}-gcc`];
  for (const candidate of candidates) if (await isInPath(candidate)) return candidate;
  return undefined;
}

/** Runs native/build.sh for each architecture that has a compiler, into `<out>/<arch>`. Returns the architectures. */
export async function buildNativeParts(root: string, out: string): Promise<string[]> {
  const built: string[] = [];
  for (const architecture of Object.keys(TARGETS)) {
    const compiler = await compilerFor(architecture);
    if (!compiler) continue;
    const directory = join(out, architecture);
    await mkdir(directory, { recursive: true });
    execFileSync('sh', [join(root, 'native', 'build.sh'), directory], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, CC: compiler },
    });
    built.push(architecture);
  }
  if (!built.includes(process.arch))
    throw new Error('no C compiler found; install one: sudo apt-get install gcc libc6-dev');
  await copyFfi(root, join(out, process.arch));
  return built;
}

/** ffi-rs's platform file, loaded directly by src/sys/library.ts. */
async function copyFfi(root: string, directory: string): Promise<void> {
  const name = `linux-${process.arch}-gnu`;
  const source = join(root, 'node_modules', '@yuuang', `ffi-rs-${name}`, `ffi-rs.${name}.node`);
  await copyFile(source, join(directory, 'ffi-rs.node'));
}
