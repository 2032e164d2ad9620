/** The entry of the packer: `node pack-worker JOB`. See run-pack-worker.ts. */
import { exitNow } from '../../sys/exit.ts';
import { runPackWorker } from './run-pack-worker.ts';

exitNow(runPackWorker(process.argv[2] ?? ''));
