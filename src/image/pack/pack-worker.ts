/** The entry of the packer: `node pack-worker JOB`. See run-pack-worker.ts. */
import { runPackWorker } from './run-pack-worker.ts';

process.exitCode = runPackWorker(process.argv[2] ?? '');
