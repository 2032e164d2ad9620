/** The entry of the worker. See run-unpack-worker.ts. */
import { exitNow } from '../../sys/exit.ts';
import { runUnpackWorker } from './run-unpack-worker.ts';

runUnpackWorker().then(exitNow); // what is left of a layer that could not be unpacked is nobody's
