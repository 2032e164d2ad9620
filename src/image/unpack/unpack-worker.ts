/** The entry of the worker: `node unpack-worker JOB`. See run-unpack-worker.ts. */
import { runUnpackWorker } from './run-unpack-worker.ts';

runUnpackWorker(process.argv[2] ?? '').then((status) => {
  process.exitCode = status;
});
