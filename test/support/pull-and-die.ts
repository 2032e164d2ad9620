/** Pulls argv[2] into the store at argv[3], and kills itself with SIGKILL at event number argv[4]. Prints how many events there were. */
import { pullImage } from '../../src/image/pull/pull-image.ts';
import { parseReference } from '../../src/spec/reference.ts';
import { hashingUnpacker } from './hashing-unpacker.ts';

const [, , reference = '', root = '', deadly = ''] = process.argv;
let events = 0;
await pullImage({
  paths: { root, runtime: `${root}-runtime` },
  reference: parseReference(reference),
  unpacker: hashingUnpacker(),
  environment: { HOME: '/nonexistent' },
  onEvent: () => {
    if (++events === Number(deadly)) process.kill(process.pid, 'SIGKILL');
  },
});
console.log(events);
