/**
 * The first thing to look at when everything fails: does tsrun start, run, publish, stop and remove at all?
 *
 * `localhost/busybox` and `localhost/httpd` are the images that come with tsrun; without `localhost/` a registry would be asked first.
 */
import { describe, expect, it } from 'vitest';
import { fetchText, publishedPort } from '../support/http.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();

describe('tsrun', () => {
  it('says its version', async () => {
    expect(await tsrun.ok('version')).toMatch(/\d+\.\d+\.\d+/);
  });

  it('passes on the exit status of the command', async () => {
    await tsrun.expect(42, ['run', '--rm', 'localhost/busybox', 'sh', '-c', 'exit 42']);
  });

  it('passes on input and output', async () => {
    const { stdout } = await tsrun.expect(0, ['run', '-i', '--rm', 'localhost/busybox', 'cat'], {
      input: 'hi\n',
    });
    expect(stdout).toBe('hi\n');
  });

  it('serves a page from a detached container, until it is stopped', async () => {
    const id = await tsrun.ok('run', '-d', '-p', '127.0.0.1::80', 'localhost/httpd');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const port = publishedPort(await tsrun.ok('port', id, '80'));
    expect(await fetchText(port)).toContain('It works!');
    expect(await tsrun.ok('ps', '-q', '--no-trunc')).toBe(id);

    await tsrun.ok('stop', id);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
    expect(await tsrun.ok('ps', '-q')).toBe('');

    await tsrun.ok('rm', id);
    expect(await tsrun.ok('ps', '-aq')).toBe('');
  });
});
