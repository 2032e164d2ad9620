/** Brings a file of a lower layer into this one, as the overlay does before a link is made to it. */
import { closeSync, constants, openSync, readSync, symlinkSync, writeSync } from 'node:fs';
import type { AttributeWriter } from './attributes.ts';
import { rejectEntry } from './entry-error.ts';
import type { UnpackHost } from './host.ts';
import { attributesOfLower } from './lower-attributes.ts';
import type { LowerNode, LowerView } from './lower-view.ts';
import { type ByteString, toFsPath } from './tar-entry.ts';

const CHUNK = 1 << 20;
const EXCLUSIVE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** @param path of the file, in the lower as in this layer; @param target the same for the kernel; @param name for errors */
export function copyUp(
  deps: { host: UnpackHost; lowers: LowerView; attributes: AttributeWriter },
  node: Exclude<LowerNode, { kind: 'directory' }>,
  path: ByteString,
  target: ByteString,
  name: ByteString,
): void {
  const attributes = attributesOfLower(node, deps.lowers, path);
  if (node.kind === 'symlink') {
    symlinkSync(toFsPath(node.target), toFsPath(target));
    deps.attributes.other('symlink', target, attributes, name);
    return;
  }
  if (!node.stats.isFile()) {
    if (!node.stats.isFIFO()) throw rejectEntry(name, 'its link target is a special file of a layer below');
    deps.host.makeNode(target, constants.S_IFIFO | 0o600, 0, 0);
    deps.attributes.other('special', target, attributes, name);
    return;
  }
  const source = deps.lowers.open(node.layer, path);
  const copy = openSync(toFsPath(target), EXCLUSIVE, attributes.mode & 0o777);
  try {
    if (!deps.host.clone(source, copy)) copyContent(source, copy);
    deps.attributes.file(copy, target, attributes, name);
  } finally {
    closeSync(copy);
    closeSync(source);
  }
}

function copyContent(source: number, copy: number): void {
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (let count = readSync(source, buffer); count > 0; count = readSync(source, buffer)) {
    for (let at = 0; at < count; ) at += writeSync(copy, buffer, at, count - at);
  }
}
