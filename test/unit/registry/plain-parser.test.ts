/**
 * A pull of busybox spent a fifth of its processor time on compiling undici's parser of HTTP (WebAssembly) for the second time, with V8's
 * optimising compiler. Here V8 itself says which functions of WebAssembly it gives to which compiler (--trace-wasm-compilation-times).
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const SOURCES = join(import.meta.dirname, '..', '..', '..', 'src', 'registry');

/** Asks a server of its own twenty times over a Transport, or as undici does it alone, and at last takes a code cache that was made before. */
const script = (isPlain: boolean): string => `
import { createServer } from 'node:http';
import { Script } from 'node:vm';
import { spawnSync } from 'node:child_process';
import { Agent, request } from 'undici';
import { DEFAULT_PATIENCE, Transport } from '${SOURCES}/transport.ts';
const server = createServer((_, response) => {
  for (let i = 0; i < 40; i++) response.setHeader('x-some-header-' + i, 'some value of that header');
  response.end('hello');
}).listen(0, '127.0.0.1', async () => {
  const host = '127.0.0.1:' + server.address().port;
  const transport = new Transport(host, { tls: {}, verify: false, environment: {}, patience: DEFAULT_PATIENCE });
  const url = new URL('http://' + host + '/');
  const dispatcher = new Agent();
  for (let i = 0; i < 20; i++) {
    const answer = ${isPlain} ? await transport.send({ url }) : await request(url, { dispatcher });
    if (await answer.body.text() !== 'hello') process.exit(1);
  }
  const source = 'function f() { return 1 } f()';
  const make = 'const s = new (require("vm").Script)(process.argv[1]); process.stdout.write(s.createCachedData())';
  const cachedData = spawnSync(process.execPath, [...process.execArgv.filter((w) => /wasm/.test(w)), '-e', make, source]).stdout;
  console.log('cache rejected:', new Script(source, { cachedData }).cachedDataRejected);
  process.exit(0);
});
`;

function trace(isPlain: boolean): string {
  const flags = ['--trace-wasm-compilation-times', '--wasm-sync-tier-up']; // not in a thread of its own, which the end would not await
  const words = ['--no-warnings', ...flags, '--input-type=module', '-e', script(isPlain)];
  return execFileSync(process.execPath, words, { encoding: 'utf8', cwd: import.meta.dirname });
}

describe("undici's parser of HTTP", () => {
  test('is compiled once, and code caches are good afterwards', () => {
    const output = trace(true);
    expect(output).toMatch(/liftoff/i);
    expect(output).not.toMatch(/turbofan/i);
    expect(output).toContain('cache rejected: false');
  });

  test('would be compiled again', () => {
    expect(trace(false)).toMatch(/turbofan/i);
  });
});
