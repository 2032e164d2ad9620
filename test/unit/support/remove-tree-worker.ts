/** A thread that removes the tree `workerData` as soon as it is told to. */
import { parentPort, workerData } from 'node:worker_threads';
import { op } from '../../../src/sys/calls.ts';
import { AT_FDCWD } from '../../../src/sys/constants.ts';
import { nativeRunner } from '../../../src/sys/run.ts';
import { Slots } from '../../../src/sys/step.ts';

const steps = [op('user', 'test', { kind: 'remove-tree', dir: AT_FDCWD, path: workerData as string })];
parentPort?.once('message', () => {
  nativeRunner.run({ slots: new Slots(), steps });
  parentPort?.postMessage('removed');
});
parentPort?.postMessage('ready');
