import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { csvFields, parseMount } from '../../src/cli/parse/mount.ts';
import { parseTmpfs, parseVolume } from '../../src/cli/parse/volume.ts';

const here = mkdtempSync(join(tmpdir(), 'tsrun-cli-'));
afterAll(() => rmSync(here, { recursive: true }));

const usage = (problem: string | RegExp) =>
  expect.objectContaining({ code: 'ERR_TSRUN_USAGE', message: expect.stringMatching(problem) });

describe('-v', () => {
  it('mounts a path of the host, relative ones from the working directory', () => {
    expect(parseVolume('.:/in', here)).toEqual({
      type: 'bind',
      source: here,
      destination: '/in',
      options: [],
    });
    expect(parseVolume(`${here}:/in:ro,noexec`, '/')).toEqual({
      type: 'bind',
      source: here,
      destination: '/in',
      options: ['ro', 'noexec'],
    });
    expect(parseVolume('../:/in', join(here, 'x')).source).toBe(here);
  });

  it('mounts a volume by its name, or one without a name', () => {
    expect(parseVolume('data:/var/lib', here)).toMatchObject({
      type: 'volume',
      source: 'data',
      destination: '/var/lib',
    });
    expect(parseVolume('/var/cache/', here)).toMatchObject({
      type: 'volume',
      source: undefined,
      destination: '/var/cache',
    });
  });

  it('names a path of the host that is not there', () => {
    const source = join(here, 'missing');
    expect(() => parseVolume('./missing:/in', here)).toThrow(
      expect.objectContaining({ code: 'ERR_TSRUN_MOUNT_SOURCE', data: { source }, cause: expect.anything() }),
    );
  });

  it.each([
    ['', /not of the form/],
    ['.:', /not of the form/],
    [':/in', /not of the form/],
    ['.:/in:ro:x', /not of the form/],
    ['.:in', /"in" is not an absolute path/],
    ['/data:ro', /"ro" is not an absolute path/],
    ['.:/', /over the root/],
    ['.:/in/..', /over the root/],
    ['.:/in:O', /mount option "O" is not supported/],
    ['.:/in:bogus', /mount option "bogus" is not supported/],
    ['a/b:/in', /"a\/b" is neither a path/],
    // It was a bug in tsrun: no directory can have that name.
    [`${'v'.repeat(256)}:/in`, /255 letters at most, and this one 256/],
    ['-x:/in', /neither a path .* nor a volume name/],
  ])('refuses %j', (text, problem) => {
    expect(() => parseVolume(text, here)).toThrow(usage(problem));
  });

  it('only ever gives absolute paths without dots, whatever is written', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const { destination, type, source } = parseVolume(text, here);
          expect(destination).toMatch(/^\/[^/]/);
          expect(destination.split('/')).not.toContain('..');
          if (type === 'bind') expect(source?.startsWith('/')).toBe(true);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^ERR_TSRUN_(USAGE|MOUNT_SOURCE)$/);
        }
      }),
    );
  });
});

describe('--tmpfs', () => {
  it('takes options as mount(8) has them', () => {
    expect(parseTmpfs('/tmp:size=64m,mode=1777,noexec')).toEqual({
      type: 'tmpfs',
      source: undefined,
      destination: '/tmp',
      options: ['size=64m', 'mode=1777', 'noexec'],
    });
    expect(parseTmpfs('/run').options).toEqual([]);
  });

  it.each(['tmp', '/', '/tmp:bogus', '/tmp:size=lots', '/tmp:mode=9'])('refuses %j', (text) => {
    expect(() => parseTmpfs(text)).toThrow(usage(/--tmpfs/));
  });
});

describe('--mount', () => {
  it.each([
    ['type=bind,source=.,destination=/in', { type: 'bind', source: here, options: [] }],
    ['type=bind,src=.,dst=/in,readonly', { type: 'bind', source: here, options: ['ro'] }],
    ['type=bind,src=.,target=/in,ro=true,bind-propagation=rslave', { options: ['ro', 'rslave'] }],
    ['type=bind,src=.,dst=/in,readonly=false', { options: [] }],
    ['type=volume,source=data,destination=/in', { type: 'volume', source: 'data' }],
    ['source=data,destination=/in', { type: 'volume', source: 'data' }],
    ['destination=/in', { type: 'volume', source: undefined }],
    [
      'type=tmpfs,destination=/in,tmpfs-size=64m,tmpfs-mode=1770',
      { type: 'tmpfs', options: ['size=67108864', 'mode=1770'] },
    ],
    [`type=bind,"source=${here}",destination=/in`, { source: here }],
    [
      'type=image,source=busybox,destination=/in,rw=true',
      { type: 'image', source: 'busybox', options: ['rw'] },
    ],
    ['type=devpts,destination=/in,mode=600', { type: 'devpts', source: undefined, options: ['mode=600'] }],
  ])('%s', (text, expected) => {
    expect(parseMount(text, here)).toMatchObject({ destination: '/in', ...expected });
  });

  it.each([
    ['type=npipe,source=x,destination=/in', /type "npipe" is not supported/],
    ['type=image,destination=/in', /which image/],
    ['type=devpts,destination=/in,mode=rw', /mode is a number/],
    ['type=devpts,source=pts,destination=/in', /a devpts has no source/],
    ['type=bind,destination=/in', /needs a source/],
    ['type=tmpfs,source=x,destination=/in', /a tmpfs has no source/],
    ['type=bind,source=.', /destination is missing/],
    ['type=bind,source=.,destination=in', /not an absolute path/],
    [
      'type=tmpfs,destination=/in,bind-propagation=rslave',
      /"bind-propagation" is not supported for type=tmpfs/,
    ],
    ['type=bind,source=.,destination=/in,bogus=1', /"bogus" is not supported/],
    ['type=bind,source=.,destination=/in,bind-propagation=bogus', /mount option "bogus"/],
    ['"type=bind', /quote is not closed/],
  ])('refuses %s', (text, problem) => {
    expect(() => parseMount(text, here)).toThrow(usage(problem));
  });

  it('reads what was written as CSV', () => {
    const quoted = (field: string): string => `"${field.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (fields) => {
        expect(csvFields(fields.map(quoted).join(','))).toEqual(fields);
      }),
    );
  });
});
