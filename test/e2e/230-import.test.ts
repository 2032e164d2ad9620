/** `tsrun import`, mostly of what `tsrun export` wrote. */
import { execFileSync } from 'node:child_process';
import { createReadStream, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTar } from '../support/read-tar.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
let rootfs: string;
let server: Server;
let url: string;

beforeAll(async () => {
  const make = 'echo made >/made; mkdir /own; chown 5:6 /own; ln /made /own/link; rm /etc/group';
  await tsrun.ok('run', '--name', 'made', '--network', 'none', 'localhost/busybox', 'sh', '-c', make);
  rootfs = join(tsrun.store.directory, 'rootfs.tar');
  await tsrun.ok('export', '-o', rootfs, 'made');
  server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/rootfs.tar' }).end();
    else if (request.url === '/circle') response.writeHead(302, { location: '/circle' }).end();
    else if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    else if (request.url === '/rootfs.tar') createReadStream(rootfs).pipe(response);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const run = (image: string, ...words: string[]): Promise<string> =>
  tsrun.ok('run', '--rm', '--network', 'none', '--pull', 'never', image, ...words);

describe('import', () => {
  it('makes an image that has all that the container had', async () => {
    const id = await tsrun.ok('import', '-q', rootfs, 'again:1');
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    const script = 'cat /made; stat -c "%u:%g %h" /own /own/link; test -e /etc/group || echo gone';
    expect(await run('again:1', 'sh', '-c', script)).toBe('made\n5:6 2\n0:0 2\ngone');
    await tsrun.ok('create', '--name', 'again', '--network', 'none', 'again:1', 'sh');
    const again = await tsrun.expect(0, ['export', 'again']);
    const listed = (archive: Buffer) =>
      readTar(archive)
        .filter(({ path }) => !/^(?:etc|dev|proc|sys|run|tmp)\/?/.test(path))
        .map(({ path, type, mode, uid, gid, mtime, linkpath, size }) => ({
          path,
          type,
          mode,
          uid,
          gid,
          mtime,
          linkpath,
          size,
        }));
    const first = await tsrun.expect(0, ['export', 'made']);
    expect(listed(first.output).length).toBeGreaterThan(100);
    expect(listed(again.output)).toEqual(listed(first.output));
    await tsrun.ok('rm', 'made', 'again');
  });

  it('with changes, a comment, and a platform', async () => {
    const changes = [
      'CMD ["sh", "-c", "echo $WHO in $PWD"]',
      'ENV WHO="the user"',
      'WORKDIR /own',
      'LABEL a=b',
      'EXPOSE 80',
    ];
    const words = changes.flatMap((change) => ['-c', change]);
    const id = await tsrun.ok('import', '-q', ...words, '-m', 'why', '--variant', 'v1', rootfs, 'changed');
    expect(await run('changed')).toBe('the user in /own');
    const [image] = JSON.parse(await tsrun.ok('image', 'inspect', id));
    expect(image).toMatchObject({
      RepoTags: ['localhost/changed:latest'],
      Comment: 'why',
      Variant: 'v1',
      Config: { Labels: { a: 'b' }, ExposedPorts: { '80/tcp': {} } },
    });
    const refused = await tsrun.expect(125, ['import', '-c', 'RUN make', rootfs]);
    expect(refused.stderr).toContain('--change "RUN make" is not an instruction that tsrun knows');
  });

  it('from a pipe, compressed, or from a server', async () => {
    const plain = execFileSync('tar', ['-c', '-C', tsrun.store.directory, '--exclude=*', '.']);
    const [a, b] = [
      await tsrun.expect(0, ['import', '-q', '-'], { input: gzipSync(plain) }),
      await tsrun.expect(0, ['import', '-q', '-'], { input: plain }),
    ];
    const layers = async (id: string) =>
      JSON.parse(await tsrun.ok('image', 'inspect', id.trim()))[0].RootFS.Layers;
    expect(await layers(a.stdout)).toEqual(await layers(b.stdout));
    expect(await tsrun.ok('images', '-q', '--filter', 'dangling=true')).not.toBe('');
    await tsrun.ok('import', '-q', `${url}/moved`, 'served');
    expect(await run('served', 'cat', '/made')).toBe('made');
    const missing = await tsrun.expect(125, ['import', `${url}/nothing`]);
    expect(missing.stderr).toMatch(/cannot fetch http.*\/nothing: the server answered 404/);
    const circle = await tsrun.expect(125, ['import', `${url}/circle`]);
    expect(circle.stderr).toContain('the server led on more than 10 times');
    const file = await tsrun.expect(125, ['import', `${url}/file`]);
    expect(file.stderr).toContain('the server leads to file:///etc/passwd');
    const nobody = await tsrun.expect(125, ['import', 'http://127.0.0.1:1/x']);
    expect(nobody.stderr).toMatch(/cannot fetch .*: the server cannot be reached\ncause: .*ECONNREFUSED/);
  });

  it.each(['xz', 'bzip2'])(
    'reads what is compressed by %s, as the tarballs of distributions are',
    async (program) => {
      const compressed = execFileSync(program, ['-c', rootfs], { maxBuffer: 1 << 27 });
      expect((await tsrun.expect(0, ['import', '-q', '-', 'small'], { input: compressed })).status).toBe(0);
      expect(await run('small', 'cat', '/made')).toBe('made');
      // A layer is of no such compression: it is kept as the archive is.
      const [layer] = JSON.parse(
        await tsrun.ok('image', 'inspect', '--format', '{{json .RootFS.Layers}}', 'small'),
      );
      const plain = execFileSync('sha256sum', { input: readFileSync(rootfs) })
        .toString()
        .slice(0, 64);
      expect(layer).toBe(`sha256:${plain}`);
      await tsrun.ok('rmi', 'small');
    },
  );

  it('refuses what is no archive, and keeps nothing of it', async () => {
    const before = await tsrun.ok('images', '-q');
    const bad = join(tsrun.store.directory, 'bad');
    writeFileSync(bad, 'this is no archive'.repeat(100));
    expect((await tsrun.expect(125, ['import', '-q', bad, 'bad'])).stderr).toMatch(
      /archive is damaged at byte/,
    );
    writeFileSync(bad, Buffer.from('fd377a585a000000', 'hex'));
    expect((await tsrun.expect(125, ['import', '-q', bad, 'bad'])).stderr).toMatch(
      /xz data is damaged: xz: .*Unexpected end of input/,
    );
    writeFileSync(bad, gzipSync(Buffer.alloc(5000)).subarray(0, 20));
    expect((await tsrun.expect(125, ['import', '-q', bad, 'bad'])).stderr).toMatch(/gzip data is damaged/);
    expect((await tsrun.expect(125, ['import', join(bad, 'x')])).stderr).toMatch(
      /cannot read .*\/bad\/x\ncause: ENOTDIR/,
    );
    expect(await tsrun.ok('images', '-q')).toBe(before);
    expect(readdirSync(join(tsrun.store.root, 'tmp'))).toEqual([]);
  });
});
