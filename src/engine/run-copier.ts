/** The starter's side of the copier (src/image/copy). */
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { TsrunError, tsrunError } from '../errors.ts';
import type { CopyAnswer, CopyJob, CopyResult } from '../image/copy/copy-job.ts';
import type { StartInNamespaces } from '../image/unpack/unpack-process.ts';
import { reviveError } from '../image/unpack/worker-protocol.ts';
import { workerCommand } from './worker-command.ts';

const withJob = (worker: string, folder: string, job: object): string[] => [
  ...workerCommand(folder, worker),
  JSON.stringify(job),
];

/** The applier of archives speaks of layers, and of what frees their room: here it is a file that is copied. */
function ofCopy(error: Error): Error {
  if (!(error instanceof TsrunError) || error.code !== 'ERR_TSRUN_LAYER_ENTRY') return error;
  const { entry, reason } = error.data as { entry: string; reason: string };
  return tsrunError('ERR_TSRUN_COPY', { path: entry, problem: reason }, error.cause);
}

/** Runs a copier. @throws ERR_TSRUN_COPY, ERR_TSRUN_NAMESPACES */
export async function runCopier(
  start: StartInNamespaces,
  job: CopyJob,
  input?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<CopyResult> {
  const worker = start(withJob('copy-worker', 'copy', job));
  // The copier's own error says more than that it has stopped reading.
  const fed = input ? pipeline(input, worker.stdin) : undefined;
  if (!input) worker.stdin.end();
  const settled = fed?.then(
    () => undefined,
    (error: unknown) => error,
  );
  const [line, output] = await Promise.all([text(worker.result), text(worker.stderr)]);
  const ending = worker.reap();
  const failure = await settled;
  if (!line.endsWith('\n'))
    throw tsrunError('ERR_TSRUN_UNPACK_WORKER', { ending, output: output.trim().slice(-2000) });
  const answer = JSON.parse(line) as CopyAnswer;
  if (!answer.ok) throw ofCopy(reviveError(answer.error));
  if (failure !== undefined) throw failure;
  return answer.result;
}
