/** --pull, --platform and --storage-driver do what they say; a refusal names what is wrong. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageOf, indexOf, tarOf } from '../support/image-fixture.ts';
import { pushDocument, pushImage } from '../support/push-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { useRunOptions } from '../support/run-options.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const { refused } = useRunOptions(tsrun, IMAGE);

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry[Symbol.asyncDispose]());

describe('--pull and --platform', () => {
  it('never: refused when it is not in the store, with the pull that would help', async () => {
    const stderr = await refused('--pull', 'never', `${registry.host}/nothing`, 'true');
    expect(stderr).toMatch(/hint: tsrun pull /);
  });

  it('missing: fetched once; always: looked at every time; newer: fetched when it changed', async () => {
    const reference = await registry.push('httpd', 'moving');
    const page = (policy: string) =>
      tsrun.expect(0, ['run', '--rm', '--network', 'none', '--pull', policy, reference, 'true']);
    expect((await page('missing')).stderr).toContain('Downloaded newer image');
    expect((await page('missing')).stderr).toBe('');
    expect((await page('always')).stderr).toContain('Image is up to date');
    expect((await page('newer')).stderr).not.toContain('Downloaded newer image');
    await registry.push('busybox', 'moving');
    expect((await page('missing')).stderr).toBe('');
    expect((await page('newer')).stderr).toContain('Downloaded newer image');
  });

  it('a platform that the image does not have is refused with those that it has', async () => {
    const image = imageOf([await tarOf({ x: 'x' })], { architecture: 'arm64' });
    await pushImage(registry.host, 'foreign', image.manifestDigest, image);
    const index = indexOf([{ image, architecture: 'arm64' }]);
    await pushDocument(registry.host, 'foreign', 'latest', index.index.mediaType ?? '', index.bytes);
    const reference = `${registry.host}/foreign`;
    expect(await refused(reference, 'true')).toMatch(
      /no image for linux\/amd64; it has linux\/arm64[\s\S]*--platform linux\/arm64/,
    );
    expect(await refused('--platform', 'linux/s390x', reference, 'true')).toContain('linux/s390x');
    await tsrun.ok('pull', '-q', '--platform', 'linux/arm64', reference);
    expect((await tsrun.expect(125, ['pull', '-q', '--arch', 's390x', reference])).stderr).toContain(
      'linux/s390x',
    );
    await tsrun.ok('pull', '-q', '--os', 'linux', '--arch', 'arm64', '--variant', 'v8', reference);
    await tsrun.ok('pull', '-q', '--arch', 'arm64', '--policy', 'never', reference);
  });

  it('a command of another architecture says so: 126', async () => {
    const elf = readFileSync('/bin/busybox');
    elf.writeUInt16LE(0xf3, 18); // e_machine: RISC-V
    const { status, stderr } = await runForeign(elf);
    expect(status).toBe(126);
    expect(stderr).toMatch(/hint: .*another architecture/);
  });

  const runForeign = async (bytes: Buffer) => {
    writeFileSync(join(tsrun.store.directory, 'foreign'), bytes);
    chmodSync(join(tsrun.store.directory, 'foreign'), 0o755);
    return await tsrun.run([
      'run',
      '--rm',
      '--network',
      'none',
      '-v',
      './foreign:/foreign',
      IMAGE,
      '/foreign',
    ]);
  };
});

describe('--storage-driver', () => {
  it.each(['overlay', 'fuse-overlayfs', 'copy'])(
    '%s: the same files, changes that stay with the container',
    async (driver) => {
      const reference = await registry.push('whiteout');
      const list =
        "cd /; find kept gone opaque real link directory-then-file file-then-directory ! -type l -exec stat -c '%n %F %a %u' {} + | sort; cat kept/c gone";
      const expected = await tsrun.ok(
        'run',
        '--rm',
        '--network',
        'none',
        '--storage-driver',
        'overlay',
        reference,
        'sh',
        '-c',
        list,
      );
      const words = ['--network', 'none', '--storage-driver', driver, '--name', 'stored'];
      expect(await tsrun.ok('run', ...words, reference, 'sh', '-c', `${list}; touch /new; rm /gone`)).toBe(
        expected,
      );
      await tsrun.ok('rm', 'stored');
      await tsrun.ok(
        'create',
        ...words,
        reference,
        'sh',
        '-c',
        'ls /new 2>/dev/null; echo more >> /again; cat /again; rm -r /kept',
      );
      expect(await tsrun.ok('start', '-a', 'stored')).toBe('more');
      const again = await tsrun.run(['start', '-a', 'stored']);
      expect(again.stdout).toBe('more\nmore\n');
      await tsrun.ok('rm', 'stored');
    },
  );

  it.each(['overlay', 'fuse-overlayfs', 'copy'])(
    '%s: a new volume takes the image’s content, whiteouts applied',
    async (driver) => {
      const reference = `${registry.host}/whiteout`;
      const words = [
        'run',
        '--rm',
        '--network',
        'none',
        '--storage-driver',
        driver,
        '-v',
        '/opaque',
        '-v',
        '/kept',
        '-v',
        '/link',
      ];
      expect(
        await tsrun.ok(
          ...words,
          reference,
          'sh',
          '-c',
          'ls -A /opaque; ls -A /kept; cat /kept/c; cat /link/through',
        ),
      ).toBe('new\na\nc\nc of the upper layer\nlands in real/');
    },
  );
});
