/**
 * Prints everything that a file system can say of a tree, one JSON line per file: run it as root of the rootless namespaces,
 * `node manifest.ts DIRECTORY`. Hard links are numbered by their first name. getfattr (attr) reads the attributes.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';

export interface ManifestLine {
  /** latin1 */
  path: string;
  type: number;
  mode: string;
  owner: string;
  mtime: string;
  rdev: string;
  /** Of links. */
  target: string | undefined;
  /** sha256 of files. */
  content: string | undefined;
  /** The first path of the same file, where it has several. */
  sameAs: string | undefined;
  /** name=hex, sorted */
  xattrs: string[];
}

function readXattrs(root: string): Map<string, string[]> {
  const { stdout, status, stderr } = spawnSync(
    'getfattr',
    ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '.'],
    {
      cwd: root,
      encoding: 'latin1',
      maxBuffer: 1 << 28,
    },
  );
  if (status !== 0) throw new Error(`getfattr: ${stderr}`);
  const blocks = stdout.split('\n\n').filter((block) => block.startsWith('# file: '));
  return new Map(
    blocks.map((block) => {
      const [head = '', ...lines] = block.split('\n');
      const path = head
        .slice(8)
        .replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
      return [path, lines.filter((line) => line !== '').sort()];
    }),
  );
}

export function manifest(root: string): ManifestLine[] {
  const xattrs = readXattrs(root);
  const firsts = new Map<bigint, string>();
  const lines: ManifestLine[] = [];
  const visit = (path: string): void => {
    const full = Buffer.from(`${root}/${path}`, 'latin1');
    const stats = fs.lstatSync(full, { bigint: true });
    const first = firsts.get(stats.ino);
    if (stats.nlink > 1n && !stats.isDirectory() && first === undefined) firsts.set(stats.ino, path);
    lines.push({
      path,
      type: Number(stats.mode) & fs.constants.S_IFMT,
      mode: (Number(stats.mode) & 0o7777).toString(8),
      owner: `${stats.uid}:${stats.gid}`,
      mtime: String(stats.mtimeNs),
      rdev: String(stats.rdev),
      target: stats.isSymbolicLink() ? fs.readlinkSync(full, 'latin1') : undefined,
      content: stats.isFile() ? createHash('sha256').update(fs.readFileSync(full)).digest('hex') : undefined,
      sameAs: first,
      xattrs: xattrs.get(path === '' ? '.' : path) ?? [],
    });
    if (!stats.isDirectory()) return;
    for (const name of fs.readdirSync(full, 'latin1').sort()) visit(path === '' ? name : `${path}/${name}`);
  };
  visit('');
  return lines;
}

if (process.argv[1] === import.meta.filename) {
  for (const line of manifest(process.argv[2] ?? '.')) console.log(JSON.stringify(line));
}
