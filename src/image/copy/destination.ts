/** Where a copy goes, by the rules of docker cp (docs.docker.com, "docker container cp"). The process's root is the tree that it goes to. */
import * as fs from 'node:fs';
import { tsrunError } from '../../errors.ts';
import { type ByteString, displayName, toFsPath } from '../unpack/tar-entry.ts';
import type { ExtractJob } from './copy-job.ts';

export interface Destination {
  /** An absolute path, without links, of a directory that is there. */
  directory: ByteString;
  /** The name there of the archive's first entry. */
  name: ByteString;
}

const refuse = (path: ByteString, problem: string): Error =>
  tsrunError('ERR_TSRUN_COPY', { path: displayName(path), problem });

function kindOf(path: ByteString): 'directory' | 'other' | 'absent' {
  const stat = fs.statSync(toFsPath(path), { throwIfNoEntry: false });
  return stat === undefined ? 'absent' : stat.isDirectory() ? 'directory' : 'other';
}

const realPath = (path: ByteString): ByteString => fs.realpathSync(Buffer.from(path, 'latin1'), 'latin1');

/** Directory and name of a path that need not be there; a link at its end is followed as far as it leads. */
function parentOf(path: ByteString): Destination {
  const clean = path.replace(/\/+$/, '');
  const slash = clean.lastIndexOf('/');
  const parent = clean.slice(0, slash) || '/';
  if (kindOf(parent) !== 'directory') throw refuse(path, `there is no directory ${displayName(parent)}`);
  return { directory: realPath(parent), name: clean.slice(slash + 1) };
}

/** @throws ERR_TSRUN_COPY */
export function findDestination({
  path,
  what,
  name,
}: Pick<ExtractJob, 'path' | 'what' | 'name'>): Destination {
  const found = kindOf(path);
  const wantsDirectory = /(?:^|\/)\.{0,2}$/.test(path);
  if (found === 'directory') return { directory: realPath(path), name };
  if (what === 'archive')
    throw refuse(path, found === 'absent' ? 'there is no such directory' : 'it is no directory');
  if (found === 'other') {
    if (what !== 'file') throw refuse(path, 'it is there and is no directory');
    if (wantsDirectory) throw refuse(path, 'it is no directory');
    return parentOf(realPath(path));
  }
  if (what === 'file' && wantsDirectory) throw refuse(path, 'there is no such directory');
  const made = parentOf(path);
  if (what !== 'contents') return made;
  fs.mkdirSync(toFsPath(`${made.directory}/${made.name}`), { mode: 0o755 });
  return { directory: realPath(path), name };
}
