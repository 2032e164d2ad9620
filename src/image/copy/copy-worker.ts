/** The entry of the copier: `node copy-worker JOB`. See run-copy-worker.ts. */
import { exitNow } from '../../sys/exit.ts';
import { runCopyWorker } from './run-copy-worker.ts';

runCopyWorker(process.argv[2] ?? '').then(exitNow);
