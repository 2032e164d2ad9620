import { callNow } from './calls.ts';
import { isLibraryLoaded } from './library.ts';

/**
 * Ends this process with `status` at once: 'exit' listeners run, but Node is not taken apart first, which takes 10 ms that the user would wait
 * for, and may never end: Node waits for V8's compiler threads, which may be waiting for Node (nodejs/node#54918). What was written must
 * have reached the kernel before.
 */
export function exitNow(status: number): never {
  // Loading the library would cost more than it saves.
  if (!isLibraryLoaded()) process.exit(status);
  process.exitCode = status;
  process.emit('exit', status);
  callNow('end', 'exit_group', [status]);
  throw new Error('exit_group returned');
}
