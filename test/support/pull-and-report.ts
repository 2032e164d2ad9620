/** Pulls argv[2] into the store at argv[3]; prints the error, if any, as JSON. */
import { TsrunError } from '../../src/errors.ts';
import { pullImage } from '../../src/image/pull/pull-image.ts';
import { parseReference } from '../../src/spec/reference.ts';
import { hashingUnpacker } from './hashing-unpacker.ts';

const [, , reference = '', root = ''] = process.argv;
try {
  await pullImage({
    paths: { root, runtime: `${root}-runtime` },
    reference: parseReference(reference),
    unpacker: hashingUnpacker(),
    environment: { HOME: '/nonexistent' },
  });
  console.log('{}');
} catch (error) {
  const { message, cause } = error as Error;
  const own = error instanceof TsrunError ? { code: error.code, hint: error.hint } : {};
  console.log(JSON.stringify({ ...own, message, cause: String(cause) }));
}
