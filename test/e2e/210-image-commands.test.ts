/** tag, untag, rmi, images, history, inspect and the commands of `tsrun image`. */
import { beforeAll, describe, expect, it } from 'vitest';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const BUSYBOX = 'localhost/busybox:latest';
let busybox: string;

const names = async (...filter: string[]): Promise<string[]> => {
  const text = await tsrun.ok('images', ...filter, '--format', '{{.Repository}}:{{.Tag}}');
  return text === '' ? [] : text.split('\n').sort();
};

beforeAll(async () => {
  await tsrun.ok('run', '--rm', '--network', 'none', 'localhost/busybox', 'true');
  busybox = await tsrun.ok('inspect', '--type', 'image', '-f', '{{.Id}}', 'localhost/busybox');
});

describe('names of images', () => {
  it('are given, taken over, and taken away; what has none stays as <none>', async () => {
    await tsrun.ok('tag', 'busybox', 'mine', 'example.com:5000/team/app:v1', 'docker.io/alone');
    expect(await names()).toEqual([
      'docker.io/library/alone:latest',
      'example.com:5000/team/app:v1',
      BUSYBOX,
      'localhost/mine:latest',
    ]);
    expect(await tsrun.ok('run', '--rm', '--network', 'none', '--pull', 'never', 'mine', 'echo', 'ran')).toBe(
      'ran',
    );
    await tsrun.ok('run', '--rm', '--network', 'none', 'localhost/httpd', 'true').catch(() => undefined);
    const httpd = await tsrun.ok('image', 'inspect', '-f', '{{.Id}}', 'localhost/httpd');
    await tsrun.ok('tag', 'localhost/httpd', 'localhost/mine');
    expect(await tsrun.ok('inspect', '--type', 'image', '-f', '{{.Id}}', 'mine')).toBe(httpd);
    await tsrun.ok('untag', 'localhost/httpd');
    expect(await names('--filter', 'dangling=true')).toEqual(['<none>:<none>']);
    expect(await tsrun.ok('images', '-q', '--no-trunc', '--filter', 'dangling=true')).toBe(httpd);
    await tsrun.ok('tag', httpd, 'localhost/httpd');
    expect(await names('--filter', 'dangling=true')).toEqual([]);
    await tsrun.ok('untag', 'localhost/httpd', 'localhost/httpd');
    expect(await tsrun.ok('image', 'prune', '-f')).toBe(`Deleted: ${httpd}`);
    expect(await tsrun.ok('untag', 'busybox', 'alone')).toBe('');
    expect(await tsrun.ok('rmi', 'example.com:5000/team/app:v1')).toBe(
      'Untagged: example.com:5000/team/app:v1',
    );
  });

  it('cannot be digests, nor of images that are not there', async () => {
    const digest = await tsrun.expect(125, ['tag', 'busybox', `x@${busybox}`]);
    expect(digest.stderr).toContain('a digest is of its content');
    const missing = await tsrun.expect(125, ['tag', 'nothing', 'x']);
    expect(missing.stderr).toContain('image nothing is not in the store');
    const other = await tsrun.expect(125, ['untag', 'busybox', 'nothing']);
    expect(other.stderr).toMatch(/"nothing" is no name of image \S*busybox:latest\nhint: tsrun untag /);
  });
});

describe('rmi', () => {
  it('refuses an image that a container is made from, with the line to paste', async () => {
    const id = await tsrun.ok('create', '--name', 'user', '--network', 'none', BUSYBOX, 'true');
    const { stderr } = await tsrun.expect(2, ['rmi', BUSYBOX]);
    expect(stderr).toBe(
      `tsrun: image ${BUSYBOX} is used by container ${id.slice(0, 12)}\nhint: tsrun rm ${id.slice(0, 12)}\nsee: docs/errors.md#ERR_TSRUN_IMAGE_IN_USE\n`,
    );
    expect((await tsrun.expect(2, ['rmi', '-a'])).stderr).toContain('is used by container');
    await tsrun.ok('tag', BUSYBOX, 'second');
    expect(await tsrun.ok('rmi', 'second')).toBe('Untagged: localhost/second:latest');
    expect(await tsrun.ok('image', 'prune', '-af')).toBe('');
    await tsrun.ok('rm', 'user');
  });

  it('by an id takes an image with several names only by force', async () => {
    await tsrun.ok('tag', BUSYBOX, 'second');
    const prefix = busybox.slice('sha256:'.length).slice(0, 8);
    expect((await tsrun.expect(125, ['rmi', prefix])).stderr).toMatch(
      /has several names: localhost\/busybox:latest, localhost\/second:latest\nhint: tsrun rmi -f/,
    );
    expect(await tsrun.ok('rmi', '-f', prefix)).toBe(
      `Untagged: ${BUSYBOX}\nUntagged: localhost/second:latest\nDeleted: ${busybox}`,
    );
    await tsrun.expect(1, ['image', 'exists', BUSYBOX]);
    expect((await tsrun.expect(1, ['rmi', BUSYBOX])).stderr).toContain('is not in the store');
    expect(await tsrun.ok('rmi', '-i', BUSYBOX)).toBe('');
    // `rmi -f` in a script that cleans up: podman and docker both exit with 0, and ours with 1.
    expect(await tsrun.ok('rmi', '-f', BUSYBOX)).toBe('');
    await tsrun.ok('run', '--rm', '--network', 'none', 'localhost/busybox', 'true');
    await tsrun.expect(0, ['image', 'exists', busybox.slice('sha256:'.length).slice(0, 12)]);
  });
});

describe('what is said of images', () => {
  it('is sorted, filtered and printed as asked', async () => {
    await tsrun.ok('tag', BUSYBOX, 'zebra:v2');
    expect((await tsrun.ok('images', '--sort', 'tag', '--format', '{{.Tag}}')).split('\n')).toEqual([
      'latest',
      'v2',
    ]);
    expect(await names('--filter', `id=${busybox.slice(0, 20)}`)).toHaveLength(2);
    expect(await names('--filter', 'id=0000')).toEqual([]);
    expect(await names('--filter', 'reference=*bra:v2')).toEqual(['localhost/zebra:v2']);
    expect(await names('--filter', 'before=busybox')).toEqual([]);
    const [heading = '', row = ''] = (await tsrun.ok('images', '--digests', 'zebra')).split('\n');
    expect(heading).toMatch(/^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE$/);
    expect(row).toMatch(/^localhost\/zebra +v2 +sha256:[0-9a-f]{64} +[0-9a-f]{12} +.+ ago +[\d.]+[kM]B$/);
    const [json] = (await tsrun.ok('images', '--format', 'json')).split('\n');
    expect(JSON.parse(json ?? '')).toMatchObject({ Repository: 'localhost/busybox', Containers: 0 });
    await tsrun.ok('rmi', 'zebra:v2');
  });

  it('by podman’s names, too', async () => {
    const names = ['Created', 'Names', 'RepoTags', 'Dangling', 'ReadOnly', 'Id'].map(
      (name) => `{{.${name}}}`,
    );
    const [row = ''] = (await tsrun.ok('images', '--format', names.join('|'))).split('\n');
    expect(row).toMatch(
      new RegExp(`ago\\|\\[${BUSYBOX}\\]\\|\\[${BUSYBOX}\\]\\|false\\|false\\|${busybox.slice(7)}$`),
    );
    expect(await tsrun.ok('images', '--format', '{{range .RepoDigests}}{{.}}{{end}}')).toMatch(
      /busybox@sha256:/,
    );
    expect(await tsrun.ok('history', '--format', '{{.Tags}}|{{.Created}}', 'busybox')).toMatch(
      /^\[localhost.*ago$/,
    );
    for (const [filter, count] of [
      ['containers=false', 1],
      ['containers=true', 0],
      ['readonly=true', 0],
      ['intermediate=false', 1],
      ['digest=sha256:', 1],
      ['after=busybox', 0],
    ] as const)
      expect(
        (await tsrun.ok('images', '-q', '--filter', filter)).split('\n').filter(Boolean),
        filter,
      ).toHaveLength(count);
  });

  it('includes what its last layer changes, and what stands on it', async () => {
    const script = 'echo x >/etc/new && rm /bin/ls && echo y >>/etc/passwd';
    await tsrun.ok('run', '--name', 'maker', '--network', 'none', BUSYBOX, 'sh', '-c', script);
    await tsrun.ok('commit', '-q', 'maker', 'derived');
    const expected = 'C /bin\nD /bin/ls\nC /etc\nA /etc/new\nC /etc/passwd';
    expect(await tsrun.ok('diff', 'maker')).toBe(expected);
    expect(await tsrun.ok('diff', 'derived')).toBe(expected);
    expect(JSON.parse(await tsrun.ok('image', 'diff', '--format', 'json', 'derived')).deleted).toEqual([
      '/bin/ls',
    ]);
    expect(await tsrun.ok('diff', BUSYBOX)).toMatch(/^A \/bin\n/);
    // --sort is podman's, and so is its order: ours listed the largest first, as nobody does.
    expect(await tsrun.ok('images', '--sort', 'size', '--format', '{{.Repository}}')).toBe(
      'localhost/busybox\nlocalhost/derived',
    );
    // The record's own text, with its milliseconds, was printed.
    const times = await tsrun.ok(
      'history',
      '--human=false',
      '--format',
      '{{.CreatedAt}} {{.Created}}',
      'derived',
    );
    expect(times).toMatch(/^(?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) \1\n?){2}$/);
    expect(await tsrun.ok('image', 'tree', '--whatrequires', 'busybox')).toMatch(
      /Image Layers\n└── ID: [0-9a-f]{12} Size: +[\d.]+k?B Top Layer of: \[localhost\/derived:latest\]$/,
    );
    expect(await tsrun.ok('image', 'tree', '--whatrequires', 'derived')).toMatch(/Image Layers$/);
    await tsrun.ok('rm', 'maker');
    await tsrun.ok('rmi', '--no-prune', 'derived');
  });

  it('has docker’s names in inspect', async () => {
    const [document] = JSON.parse(await tsrun.ok('image', 'inspect', 'busybox'));
    expect(document).toMatchObject({
      Id: busybox,
      RepoTags: [BUSYBOX],
      Architecture: expect.stringMatching(/^(?:amd64|arm64)$/),
      Os: 'linux',
      RootFS: { Type: 'layers', Layers: [expect.stringMatching(/^sha256:/)] },
      GraphDriver: { Name: expect.stringMatching(/^(?:overlay|fuse-overlayfs|copy)$/) },
    });
    expect(document.RepoDigests[0]).toMatch(/^localhost\/busybox@sha256:/);
    expect(document.Size).toBeGreaterThan(100_000);
  });

  it('includes how they were made', async () => {
    const lines = (await tsrun.ok('history', 'busybox')).split('\n');
    expect(lines[0]).toMatch(/^IMAGE +CREATED +CREATED BY +SIZE +COMMENT$/);
    expect(lines[1]).toMatch(new RegExp(`^${busybox.slice(7, 19)} `));
    expect(await tsrun.ok('history', '-q', '--no-trunc', 'busybox')).toBe(busybox);
    const [first] = (await tsrun.ok('history', '--human=false', '--format', 'json', 'busybox')).split('\n');
    expect(Number(JSON.parse(first ?? '').Size)).toBeGreaterThan(100_000);
    const tree = await tsrun.ok('image', 'tree', 'busybox');
    expect(tree).toMatch(
      /^Image ID: [0-9a-f]{12}\nTags: {5}\[localhost\/busybox:latest\]\nSize: {5}[\d.]+MB\nImage Layers\n└── ID: [0-9a-f]{12} Size: +[\d.]+MB Top Layer of: \[localhost\/busybox:latest\]$/,
    );
  });
});
