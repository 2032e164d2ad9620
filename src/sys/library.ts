/**
 * The one place that loads native code: ffi-rs, and through it tsrun-spawn.so (native/spawn.c).
 *
 * ffi-rs's own index.js asks process.report which C library runs, which costs 6 ms; tsrun supports glibc's Node only, so its .node
 * file is loaded directly. A call costs about 10 µs.
 */
import { nativeDirectory } from './native-directory.ts';

/** ffi-rs DataType, of which two are used. */
const I32 = 1;
const U64 = 12;
const U8_ARRAY = { type: 10, ffiTypeTag: 997 } as const;
const LIBRARY = 'tsrun-spawn';

interface Binding {
  open(options: { library: string; path: string }): void;
  load(options: {
    library: string;
    funcName: string;
    retType: number;
    paramsType: readonly unknown[];
    paramsValue: readonly unknown[];
    freeResultMemory: boolean;
  }): number;
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

/** tsrun_run() of native/spawn.c: executes `image` in place. Returns 0 or -errno. */
export function runImage(image: Buffer): number {
  return loaded().load({
    library: LIBRARY,
    funcName: 'tsrun_run',
    retType: I32,
    paramsType: [{ ...U8_ARRAY, length: image.length }, U64],
    paramsValue: [image, image.length],
    freeResultMemory: false,
  });
}
