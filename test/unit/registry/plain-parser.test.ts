/**
 * A pull of busybox spent a fifth of its processor time on compiling undici's parser of HTTP (WebAssembly) for the second time, with V8's
 * optimising compiler. Here V8 itself says which functions it gives to which compiler.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const TRANSPORT = join(import.meta.dirname, '..', '..', '..', 'src', 'registry', 'transport.ts');

/** Asks a server of its own twenty times, over a Transport or as undici does it alone, and then does what `last` says. */
const script = (isPlain: boolean, last: string): string => `
import { createServer } from 'node:http';
import { Script } from 'node:vm';
import { spawnSync } from 'node:child_process';
import { request } from 'undici';
import { DEFAULT_PATIENCE, Transport } from '${TRANSPORT}';
const server = createServer((_, response) => {
  for (let i = 0; i < 40; i++) response.setHeader('x-some-header-' + i, 'some value of that header');
  response.end('hello');
}).listen(0, '127.0.0.1', async () => {
  const host = '127.0.0.1:' + server.address().port;
  const transport = new Transport(host, { tls: {}, verify: false, environment: {}, patience: DEFAULT_PATIENCE });
  const url = new URL('http://' + host + '/');
  for (let i = 0; i < 20; i++) {
    const answer = ${isPlain} ? await transport.send({ url }) : await request(url);
    if (await answer.body.text() !== 'hello') process.exit(1);
  }
  ${last}
  process.exit(0);
});
`;

const run = (flags: string[], source: string): string =>
  execFileSync(process.execPath, ['--no-warnings', ...flags, '--input-type=module', '-e', source], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });

/** The compilers that the parser's functions were given to; not in threads of their own, which the end of the process would not await. */
function compilersOf(isPlain: boolean): Set<string> {
  const output = run(['--trace-wasm-compilation-times', '--wasm-sync-tier-up'], script(isPlain, ''));
  const compiled = [...output.matchAll(/Compiled function (0x\w+)#\d+ using (\w+)/g)];
  const parser = compiled.at(-1)?.[1]; // what Node strips types with is WebAssembly, too, and was needed before
  return new Set(compiled.flatMap(([, module, compiler = '']) => (module === parser ? [compiler] : [])));
}

test("undici's parser is compiled once", () => {
  expect(compilersOf(true)).toEqual(new Set(['Liftoff']));
});

test('left alone, it would be compiled again', () => {
  expect(compilersOf(false)).toContain('TurboFan');
});

test('a code cache is good afterwards', () => {
  const last = `
    const source = 'function f() { return 1 } f()';
    const make = 'process.stdout.write(new (require("vm").Script)(process.argv[1]).createCachedData())';
    const cachedData = spawnSync(process.execPath, ['-e', make, source]).stdout;
    console.log(new Script(source, { cachedData }).cachedDataRejected);`;
  expect(run([], script(true, last))).toBe('false\n');
});
