/** The starter's side: what it makes of a worker that answers, fails, dies, or is stopped. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { LayerUnpacker, LayerUnpacking, UnpackTarget } from '../../../src/image/layer-sink.ts';
import { createUnpacker } from '../../../src/image/unpack/start-unpack.ts';
import {
  countOfFrame,
  type UnpackJob,
  type WorkerAnswer,
} from '../../../src/image/unpack/worker-protocol.ts';
import { GrowingFile } from '../../../src/store/growing-file.ts';

class FakeWorker {
  readonly stdin = new PassThrough({ highWaterMark: 1000 });
  readonly stderr = new PassThrough();
  readonly result = new PassThrough();
  argv: readonly string[] = [];
  killed = 0;
  reaped = 0;
  ending = 'with status 0';

  kill(): void {
    this.killed++;
    this.ending = 'by signal 9';
    this.end('');
  }
  reap(): string {
    this.reaped++;
    return this.ending;
  }
  end(text: string, errors = ''): void {
    this.result.end(text);
    this.stderr.end(errors);
    this.stdin.destroy();
  }
  /** After its answer a worker hangs until it is killed, as Node may when it ends (nodejs/node#54918). */
  answer(answer: WorkerAnswer): void {
    this.result.write(`${JSON.stringify(answer)}\n`);
  }
  /** What came on stdin as frames, until the first that is empty: the job, and how much there was of the blob. */
  async blob(): Promise<Buffer[]> {
    const frames: Buffer[] = [];
    let rest = Buffer.alloc(0);
    for await (const chunk of this.stdin.iterator({ destroyOnReturn: false })) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE()) {
        const length = rest.readUInt32LE();
        if (length === 0) return frames;
        frames.push(rest.subarray(4, 4 + length));
        rest = rest.subarray(4 + length);
      }
    }
    throw new Error('the end of the blob did not come');
  }
}

const PATHS = ['/blob.partial', '/blob'];
/** Many steps of growth: what the worker is told is about as much. */
const STEP = 1 << 20;

const targetOf = (blob: GrowingFile, diffDirectory = '/d'): UnpackTarget => ({
  diffDirectory,
  lowers: ['/l'],
  blob,
});

function start(): {
  worker: FakeWorker;
  blob: GrowingFile;
  unpacking: LayerUnpacking;
  unpacker: LayerUnpacker;
  started: () => number;
} {
  let started = 0;
  const worker = new FakeWorker();
  const unpacker = createUnpacker({
    start: (argv) => {
      started++;
      worker.argv = argv;
      return worker;
    },
    workerCommand: ['/node', '/worker'],
    singleUid: false,
  });
  const blob = new GrowingFile(PATHS, 0);
  return { worker, blob, unpacking: unpacker.open(targetOf(blob)), unpacker, started: () => started };
}

const result = {
  diffId: 'sha256:0',
  size: 5,
  entries: 1,
  skippedDevices: 0,
  squashedOwners: 0,
  skippedXattrs: 0,
} as never;

test('the job and the growth of its blob reach stdin, the answer comes back, the same worker takes the next layer', async () => {
  const { worker, blob, unpacking, unpacker, started } = start();
  expect(worker.argv).toEqual(['/node', '/worker']);
  blob.grow(STEP);
  await new Promise(setImmediate);
  blob.grow(STEP);
  blob.grow(5);
  blob.end();
  const [job, ...got] = await worker.blob();
  expect(JSON.parse(job!.toString()) as UnpackJob).toMatchObject({
    diffDirectory: '/d',
    lowers: ['/l'],
    blob: PATHS,
    sync: true,
  });
  expect(got.map(countOfFrame)).toEqual([STEP, 2 * STEP + 5]);
  worker.answer({ ok: true, result });
  await expect(unpacking.finish()).resolves.toEqual(result);
  await unpacking.abort();
  expect([worker.killed, worker.reaped]).toEqual([0, 0]);

  unpacker.expect([]);
  const empty = new GrowingFile(PATHS, 0);
  empty.end();
  const next = unpacker.open(targetOf(empty, '/e'));
  expect((await worker.blob()).map((frame) => JSON.parse(frame.toString()) as UnpackJob)).toMatchObject([
    { diffDirectory: '/e' },
  ]);
  worker.answer({ ok: true, result });
  await expect(next.finish()).resolves.toEqual(result);
  expect(started()).toBe(1);

  await unpacker.close();
  expect([worker.killed, worker.reaped]).toEqual([1, 1]);
});

test.each([
  ['one small layer needs none', [4 << 20], 0],
  ['a large layer', [(4 << 20) + 1], 1],
  ['two layers', [1, 1], 1],
])('whether a worker starts when layers are expected: %s', async (_, sizes, workers) => {
  let started = 0;
  const worker = new FakeWorker();
  const unpacker = createUnpacker({
    start: () => {
      started++;
      return worker;
    },
    workerCommand: ['/node', '/worker'],
    singleUid: false,
    rootless: { maps: { uids: [], gids: [], single: false }, holder: 0 }, // there are namespaces, so none are made ahead
  });
  unpacker.expect(sizes.map((size) => ({ size })));
  expect(started).toBe(workers);
  await unpacker.close();
});

test("the worker's error is what finish() says, with the system's words", async () => {
  const { worker, unpacking } = start();
  worker.answer({
    ok: false,
    error: {
      code: 'ERR_TSRUN_LAYER_ENTRY',
      data: { entry: 'f', reason: 'write failed (ENOSPC)', errno: 'ENOSPC' },
      cause: 'ENOSPC: no space left',
    },
  });
  const expected = {
    code: 'ERR_TSRUN_LAYER_ENTRY',
    message: 'cannot unpack "f" of the layer: write failed (ENOSPC)',
    hint: 'tsrun rmi IMAGE   # frees the layers that no other image needs; df -h and df -i say what is short',
    cause: expect.objectContaining({ message: 'ENOSPC: no space left' }),
  };
  await expect(unpacking.finish()).rejects.toMatchObject(expected);
});

test('a worker that dies without an answer is reported with its ending and its output', async () => {
  const { worker, unpacking } = start();
  worker.ending = 'by signal 11';
  worker.end('{"ok":tr', 'FATAL ERROR: heap\n');
  await expect(unpacking.finish()).rejects.toMatchObject({
    code: 'ERR_TSRUN_UNPACK_WORKER',
    message:
      'the process that unpacks layers ended by signal 11 without a result; it wrote: FATAL ERROR: heap',
  });
});

test('abort() kills the worker, waits for it, and is no error', async () => {
  const { worker, blob, unpacking } = start();
  blob.grow(STEP);
  await unpacking.abort();
  expect([worker.killed, worker.reaped]).toEqual([1, 1]);
});

test('a blob that goes on growing after the worker has ended is no error of its own', async () => {
  const { worker, blob, unpacking } = start();
  worker.end('');
  await expect(unpacking.finish()).rejects.toMatchObject({ code: 'ERR_TSRUN_UNPACK_WORKER' });
  blob.grow(STEP);
  await new Promise(setImmediate);
  blob.end();
  await new Promise(setImmediate);
});

test('a blob that will not be whole ends the wait for the worker', async () => {
  const { worker, blob, unpacking } = start();
  blob.grow(STEP);
  blob.fail(new Error('the connection is cut'));
  await expect(unpacking.finish()).rejects.toThrow('the connection is cut');
  await unpacking.abort();
  expect([worker.killed, worker.reaped]).toEqual([1, 1]);
});

test('progress is told until the answer, however its lines are cut', async () => {
  const { worker, blob, unpacker } = start();
  await new Promise(setImmediate);
  worker.answer({ ok: true, result });
  const seen: number[] = [];
  await new Promise(setImmediate);
  const next = unpacker.open({ ...targetOf(blob), onProgress: (bytes) => void seen.push(bytes) });
  for (const piece of ['{"unpac', 'ked":3}\n{"unpacked":7}\n{"unpacked"', ':9}\n']) {
    worker.result.write(piece);
    await new Promise(setImmediate);
  }
  worker.answer({ ok: true, result });
  await expect(next.finish()).resolves.toEqual(result);
  expect(seen).toEqual([3, 7, 9]);
});
