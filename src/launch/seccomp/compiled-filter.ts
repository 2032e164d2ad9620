/**
 * Compiled filters, kept in the user's runtime directory: compiling the default profile costs as much as the rest of a start's program.
 *
 * A file holds the profile as JSON and the filter made of it; it is used only when the profile is the same to the letter. The directory
 * is the user's own (0700), whose containers the filters are for.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Seccomp } from '../../spec/runtime.ts';
import { compileRuntimeSeccomp } from './runtime-seccomp.ts';

export interface CompiledFilter {
  /** struct sock_filter[] */
  bytes: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* */
  flags: number;
}

const HEADER_SIZE = 12;
/** Changes when the compiler's output for a profile does. */
const VERSION = 2;

const cachePath = (directory: string): string => `${directory}/seccomp-${process.arch}.cache`;

function textOf(seccomp: Seccomp): Buffer {
  try {
    return Buffer.from(JSON.stringify(seccomp)); // without a function for each of hundreds of names
  } catch {
    const text = JSON.stringify(seccomp, (_key, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
    return Buffer.from(text);
  }
}

function cached(file: string, text: Buffer): CompiledFilter | undefined {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch {
    return undefined; // none yet
  }
  const filterAt = HEADER_SIZE + text.length;
  if (content.length <= filterAt || content.readUInt32LE(0) !== VERSION) return undefined;
  if (content.readUInt32LE(4) !== text.length || text.compare(content, HEADER_SIZE, filterAt) !== 0)
    return undefined;
  return { bytes: content.subarray(filterAt), flags: content.readUInt32LE(8) };
}

/** @param directory of the cache; undefined = compile. @throws ERR_TSRUN_SECCOMP_PROFILE */
export function compiledFilter(seccomp: Seccomp, directory: string | undefined): CompiledFilter {
  if (directory === undefined) return compileRuntimeSeccomp(seccomp);
  const file = cachePath(directory);
  const text = textOf(seccomp);
  const known = cached(file, text);
  if (known) return known;
  const { bytes, flags } = compileRuntimeSeccomp(seccomp);
  const header = Buffer.alloc(HEADER_SIZE);
  [VERSION, text.length, flags].forEach((value, i) => {
    header.writeUInt32LE(value, 4 * i);
  });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, Buffer.concat([header, text, bytes]), { mode: 0o600 });
  renameSync(temporary, file);
  return { bytes, flags };
}
