/** The entry of the worker. See run-unpack-worker.ts. */
import { runUnpackWorker } from './run-unpack-worker.ts';

runUnpackWorker().then((status) => {
  process.exit(status); // what is left of a layer that could not be unpacked is nobody's
});
