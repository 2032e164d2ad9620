/**
 * The one place that loads native code: ffi-rs, and through it tsrun-spawn.so (native/spawn.c).
 *
 * ffi-rs's own index.js asks process.report which C library runs, which costs 6 ms; tsrun supports glibc's Node only, so its .node
 * file is loaded directly. A call costs about 10 µs.
 */
import { nativeDirectory } from './native-directory.ts';

/** ffi-rs DataType, of which these are used. */
const STRING = 0;
const I32 = 1;
const VOID = 7;
const U64 = 12;
const U8_ARRAY = { type: 10, ffiTypeTag: 997 } as const;
const LIBRARY = 'tsrun-spawn';
/** The program itself, by dlopen(3) without a name. */
const NODE = 'node';

interface Call {
  library: string;
  funcName: string;
  retType: number;
  paramsType: readonly unknown[];
  paramsValue: readonly unknown[];
  freeResultMemory: boolean;
}

interface Binding {
  open(options: { library: string; path: string }): void;
  load(options: Call): number;
  load(options: Call & { runInNewThread: true }): Promise<number>;
}

let binding: Binding | undefined;

function loaded(): Binding {
  if (binding) return binding;
  const directory = nativeDirectory();
  // What require() does with a .node file; making a require() would load node:module.
  const addon: { exports: unknown } = { exports: {} };
  process.dlopen(addon, `${directory}/ffi-rs.node`);
  const ffi = addon.exports as Binding;
  ffi.open({ library: LIBRARY, path: `${directory}/tsrun-spawn.so` });
  binding = ffi;
  return ffi;
}

/** Has anything been run yet? */
export const isLibraryLoaded = (): boolean => binding !== undefined;

const runCall = (image: Buffer): Call => ({
  library: LIBRARY,
  funcName: 'tsrun_run',
  retType: I32,
  paramsType: [{ ...U8_ARRAY, length: image.length }, U64],
  paramsValue: [image, image.length],
  freeResultMemory: false,
});

/** tsrun_run() of native/spawn.c: executes `image` in place. Returns 0 or -errno. */
export const runImage = (image: Buffer): number => loaded().load(runCall(image));

let isNodeOpen = false;

/**
 * v8::V8::SetFlagsFromString(const char *, size_t): what setFlagsFromString() of node:v8 calls, whose loading takes 3 ms and more.
 * False where Node does not export it: then everything is as before, and slower.
 */
export function setV8Flags(flags: readonly string[]): boolean {
  const text = flags.join(' ');
  const ffi = loaded();
  try {
    if (!isNodeOpen) ffi.open({ library: NODE, path: '' });
    isNodeOpen = true;
    ffi.load({
      library: NODE,
      funcName: '_ZN2v82V818SetFlagsFromStringEPKcm',
      retType: VOID,
      paramsType: [STRING, U64],
      paramsValue: [text, text.length],
      freeResultMemory: false,
    });
    return true;
  } catch {
    return false;
  }
}

const underWay = new Set<Buffer>();

/** The same in another thread, for calls that wait. What it writes into the image may be lost. */
export async function runImageApart(image: Buffer): Promise<number> {
  underWay.add(image); // the other thread's reference is none that V8 knows of
  try {
    return await loaded().load({ ...runCall(image), runInNewThread: true });
  } finally {
    underWay.delete(image);
  }
}
