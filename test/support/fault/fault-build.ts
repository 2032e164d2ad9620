/**
 * A build of tsrun that dies on demand (AC-4.1): dist/ as it is, but with the native parts compiled so that they count their system calls
 * (test/native/fault.h), and with preload.ts before the command line and its workers. Several can work at once, each with its own count.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import type { FaultPlan } from './preload.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..');
const SIZE = 40; // struct fault
const NATIVE_PARTS = ['supervisor', 'hub', 'init', 'tsrun-spawn.so'];

/** Who dies: a program of Node's at its n-th change, or whichever native process makes the n-th system call. */
export interface Fault {
  program: 'tsrun' | 'unpack-worker' | 'copy-worker' | 'pack-worker' | 'native';
  deadly: number;
}

export class FaultBuild implements Disposable {
  readonly #directory: string;
  /** The `tsrun` to call. */
  readonly binary: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.binary = join(directory, 'dist', 'bin', 'tsrun');
  }

  static make(): Promise<FaultBuild> {
    return FaultBuild.#filled((made) => {
      cpSync(join(PROJECT, 'dist'), join(made.#directory, 'dist'), { recursive: true });
      symlinkSync(join(PROJECT, 'node_modules'), join(made.#directory, 'node_modules'));
      made.#buildNative();
      made.#preload();
    });
  }

  /** Another that is like this one. */
  copy(): Promise<FaultBuild> {
    return FaultBuild.#filled((made) => {
      cpSync(this.#directory, made.#directory, { recursive: true, verbatimSymlinks: true });
      for (const name of NATIVE_PARTS) {
        const file = join(made.#native, name);
        // Both paths have the same length: a native file may be changed in place.
        const bytes = readFileSync(file, 'latin1').replaceAll(this.#page, made.#page);
        writeFileSync(file, bytes, 'latin1');
      }
    });
  }

  /** A directory in which `fill` makes a build; none is left if that fails. */
  static async #filled(fill: (made: FaultBuild) => void): Promise<FaultBuild> {
    const made = new FaultBuild(await mkdtemp('/var/tmp/tsrun-fault-'));
    try {
      fill(made);
      made.disarm();
      return made;
    } catch (error) {
      made[Symbol.dispose]();
      throw error;
    }
  }

  #preload(): void {
    const bin = join(this.#directory, 'dist', 'bin');
    const source = readFileSync(join(import.meta.dirname, 'preload.ts'), 'utf8');
    writeFileSync(join(bin, 'preload.cjs'), stripTypeScriptTypes(source));
    for (const name of readdirSync(bin).filter((file) => /^(tsrun|.*-worker)\.cjs$/.test(file))) {
      const file = join(bin, name);
      writeFileSync(file, `require('./preload.cjs');\n${readFileSync(file, 'utf8')}`);
    }
  }

  #buildNative(): void {
    const include = join(PROJECT, 'test', 'native', 'fault.h');
    const compiler = `${process.env.CC ?? 'cc'} -include ${include} -DFAULT_FILE="${this.#page}"`;
    execFileSync('sh', [join(PROJECT, 'native', 'build.sh'), this.#native], {
      env: { ...process.env, CC: compiler },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }

  get #native(): string {
    return join(this.#directory, 'dist', 'native', process.arch);
  }

  get #page(): string {
    return join(this.#directory, 'page');
  }

  get #diary(): string {
    return join(this.#directory, 'dist', 'bin', 'diary');
  }

  /** From now on the processes of this build die as `fault` says, once. @param spared pid of a native one that does not, and is not counted */
  arm(fault: Fault, spared = 0): void {
    const isNative = fault.program === 'native';
    const page = Buffer.alloc(SIZE);
    page.writeBigUInt64LE(BigInt(isNative ? fault.deadly : 0), 8);
    page.writeBigUInt64LE(BigInt(spared), 32);
    writeFileSync(this.#page, page, { flag: existsSync(this.#page) ? 'r+' : 'w' });
    const plan: FaultPlan = isNative ? { program: '', deadly: 0 } : fault;
    writeFileSync(join(this.#directory, 'dist', 'bin', 'plan.json'), JSON.stringify(plan));
    rmSync(this.#diary, { force: true });
  }

  /** Nobody dies. */
  disarm(): void {
    this.arm({ program: 'native', deadly: 0 });
  }

  /** Who died at what since arm(); undefined when nobody has. */
  death(): string | undefined {
    const page = readFileSync(this.#page);
    const nr = page.readBigUInt64LE(16);
    if (nr !== 0n) return `a native process at system call ${nr - 1n}`;
    return existsSync(this.#diary) ? readFileSync(this.#diary, 'utf8').trim() || undefined : undefined;
  }

  /** How many system calls native processes have made since arm(). */
  systemCalls(): number {
    return Number(readFileSync(this.#page).readBigUInt64LE(0));
  }

  /** The changes that a program of Node's has made since it was armed with 0. */
  changes(): string[] {
    return existsSync(this.#diary) ? readFileSync(this.#diary, 'utf8').trim().split('\n') : [];
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
