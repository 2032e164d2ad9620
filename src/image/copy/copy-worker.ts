/** The entry of the copier: `node copy-worker JOB`. See run-copy-worker.ts. */
import { runCopyWorker } from './run-copy-worker.ts';

runCopyWorker(process.argv[2] ?? '').then((status) => {
  process.exitCode = status;
});
