/**
 * Keeps V8 from optimising undici's parser of HTTP, which is WebAssembly: after some 300 bytes of headers V8 would give all of it to its
 * optimising compiler. That takes 60 ms of processor time, a fifth of a small pull, and what it makes is faster at a few kilobytes of
 * headers in all: bodies pass the parser unread.
 *
 * Whether code of WebAssembly may be optimised later is settled when V8 first compiles it, which is while the first answer is parsed. So
 * the flags are off until then, and on again after: with other flags than those at the start, V8 takes no code cache (load-bundle.ts).
 */
import { setV8Flags } from '../sys/library.ts';

const OFF = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering'];
const ON = ['--wasm-tier-up', '--wasm-dynamic-tiering'];

/** Requests that may be the first to be answered. */
let waiting = 0;
let isCompiled = false;

/** Resolves or rejects as `send()` does, which has an answer parsed by undici when it resolves. */
export async function withPlainParser<T>(send: () => Promise<T>): Promise<T> {
  if (isCompiled) return send();
  if (waiting++ === 0) setV8Flags(OFF);
  try {
    const answer = await send();
    isCompiled = true;
    return answer;
  } finally {
    if (--waiting === 0) setV8Flags(ON);
  }
}
