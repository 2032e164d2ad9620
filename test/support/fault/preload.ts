/**
 * Loaded before tsrun and its workers in a fault build (fault-build.ts): every call of Node's that changes something outside the process
 * is counted, and the process kills itself before the n-th one. What is native is counted natively (test/native/fault.h).
 *
 * `plan` says which program dies (`tsrun`, `unpack-worker`, …) and when; 0 is never, and each call is written down instead.
 */
/** What the test writes beside this file. */
export interface FaultPlan {
  program: string;
  deadly: number;
}

// This file becomes a script by losing its types, so it imports nothing.
const childProcess = process.getBuiltinModule('node:child_process');
const fs = process.getBuiltinModule('node:fs');
const { basename } = process.getBuiltinModule('node:path');

type Anything = Record<string, unknown>;

/** Of node:fs, with and without `Sync`, and of node:fs/promises. `open` counts if it may write. */
const CHANGES =
  'appendFile chmod chown copyFile cp fchmod fchown fdatasync fsync ftruncate futimes lchown link lutimes mkdir mkdtemp open rename rm rmdir symlink truncate unlink utimes write writeFile writev'.split(
    ' ',
  );
const HANDLE_CHANGES = 'appendFile chmod datasync sync truncate utimes write writeFile writev'.split(' ');

const plan = JSON.parse(fs.readFileSync(`${__dirname}/plan.json`, 'utf8')) as FaultPlan;
const program = basename(process.argv[1] ?? '', '.cjs');

/** Opened now: a worker's root will be another. */
const diary = program === plan.program ? fs.openSync(`${__dirname}/diary`, 'a') : -1;
const note = fs.writeSync;
let count = 0;

function faultPoint(name: string, args: readonly unknown[]): void {
  count++;
  if (plan.deadly !== 0 && count !== plan.deadly) return;
  const words = args.filter((arg) => typeof arg === 'string' || typeof arg === 'number');
  note(diary, `${count} ${name}(${words.join(', ').slice(0, 200)})\n`);
  if (plan.deadly !== 0) process.kill(process.pid, 'SIGKILL');
}

const onlyReads = (name: string, flags: unknown): boolean =>
  /^open(Sync)?$/.test(name) && (flags === undefined || flags === 'r' || (Number(flags) & 0o1103) === 0);

function wrap(object: Anything, name: string, label = name): void {
  const original = object[name];
  if (typeof original !== 'function') return;
  object[name] = function (this: unknown, ...args: unknown[]): unknown {
    if (!onlyReads(name, args[1])) faultPoint(label, args);
    return Reflect.apply(original, this, args);
  };
}

/** The class of node:fs/promises that has no name outside: it is met at the first `open`. */
function wrapHandles(promises: Anything): void {
  const open = promises.open as (...args: unknown[]) => Promise<object>;
  let wrapped = false;
  promises.open = async (...args: unknown[]): Promise<object> => {
    const handle = await open(...args);
    if (!wrapped) {
      wrapped = true;
      const prototype = Object.getPrototypeOf(handle) as Anything;
      for (const name of HANDLE_CHANGES) wrap(prototype, name, `handle.${name}`);
    }
    return handle;
  };
}

if (diary >= 0) {
  const promises = fs.promises as unknown as Anything;
  for (const name of CHANGES) {
    wrap(fs as unknown as Anything, name);
    wrap(fs as unknown as Anything, `${name}Sync`);
    wrap(promises, name, `promises.${name}`);
  }
  wrapHandles(promises);
  for (const name of ['spawn', 'spawnSync', 'execFile', 'execFileSync'])
    wrap(childProcess as unknown as Anything, name);
}
