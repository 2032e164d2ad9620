/** Pulls argv[2] into the store at argv[3]; prints the error, if any, as JSON. */
import { closeSync, existsSync, openSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { TsrunError } from '../../src/errors.ts';
import { pullImage } from '../../src/image/pull/pull-image.ts';
import { parseReference } from '../../src/spec/reference.ts';
import { hashingUnpacker } from './hashing-unpacker.ts';

/** A file that takes the last of the space once the download has begun, as other programs do. */
const { FILL } = process.env;

function fillDisk(path: string): void {
  if (existsSync(path)) return;
  const fd = openSync(path, 'w');
  const { bavail, bsize } = statfsSync(dirname(path));
  writeSync(fd, Buffer.alloc(Math.max(0, bavail * bsize - 1_000_000)));
  closeSync(fd);
}

const [, , reference = '', root = ''] = process.argv;
try {
  await pullImage({
    paths: { root, runtime: `${root}-runtime` },
    reference: parseReference(reference),
    unpacker: hashingUnpacker(),
    environment: { HOME: '/nonexistent' },
    onEvent: (event) => {
      if (FILL !== undefined && event.type === 'layer' && event.status === 'downloading') fillDisk(FILL);
    },
  });
  console.log('{}');
} catch (error) {
  const { message, cause } = error as Error;
  const own = error instanceof TsrunError ? { code: error.code, hint: error.hint } : {};
  console.log(JSON.stringify({ ...own, message, cause: String(cause) }));
}
