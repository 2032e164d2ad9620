/** The starter's side: what it makes of a worker that answers, fails, dies, or is stopped. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { LayerUnpacker, LayerUnpacking, UnpackTarget } from '../../../src/image/layer-sink.ts';
import { createUnpacker } from '../../../src/image/unpack/start-unpack.ts';
import type { UnpackJob, WorkerAnswer } from '../../../src/image/unpack/worker-protocol.ts';

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
  answer(answer: WorkerAnswer): void {
    const line = `${JSON.stringify(answer)}\n`;
    if (answer.ok) this.result.write(line);
    else this.end(line);
  }
  /** What came on stdin as frames, until the first that is empty. */
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

const TARGET: UnpackTarget = { diffDirectory: '/d', lowers: ['/l'], compression: 'gzip' };

function start(): {
  worker: FakeWorker;
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
  return { worker, unpacking: unpacker.open(TARGET), unpacker, started: () => started };
}

const result = {
  diffId: 'sha256:0',
  size: 5,
  entries: 1,
  skippedDevices: 0,
  squashedOwners: 0,
  skippedXattrs: 0,
} as never;

test('the job and the bytes reach stdin, the answer comes back, the same worker takes the next layer', async () => {
  const { worker, unpacking, unpacker, started } = start();
  expect(worker.argv).toEqual(['/node', '/worker']);
  const bytes = Buffer.alloc(100_000, 'x');
  unpacking.input.end(bytes);
  const [job, ...got] = await worker.blob();
  expect(JSON.parse(job!.toString()) as UnpackJob).toMatchObject({
    diffDirectory: '/d',
    lowers: ['/l'],
    compression: 'gzip',
    sync: true,
  });
  expect(Buffer.concat(got).equals(bytes)).toBe(true);
  worker.answer({ ok: true, result });
  await expect(unpacking.finish()).resolves.toEqual(result);
  await unpacking.abort();
  expect([worker.killed, worker.reaped]).toEqual([0, 0]);

  unpacker.prepare();
  const next = unpacker.open({ ...TARGET, diffDirectory: '/e' });
  next.input.end();
  expect((await worker.blob()).map((frame) => JSON.parse(frame.toString()) as UnpackJob)).toMatchObject([
    { diffDirectory: '/e' },
  ]);
  worker.answer({ ok: true, result });
  await expect(next.finish()).resolves.toEqual(result);
  expect(started()).toBe(1);

  const closed = unpacker.close();
  expect(worker.stdin.writableEnded).toBe(true);
  worker.end('');
  await closed;
  expect(worker.reaped).toBe(1);
});

test("the worker's error is what finish() and the stream say, with the system's words", async () => {
  const { worker, unpacking } = start();
  const error = once(unpacking.input, 'error').catch((e: unknown) => e);
  const closed = new Promise((resolve) => unpacking.input.on('error', resolve));
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
    hint: 'tsrun rmi IMAGE   # frees the layers that no other image needs',
    cause: expect.objectContaining({ message: 'ENOSPC: no space left' }),
  };
  await expect(unpacking.finish()).rejects.toMatchObject(expected);
  expect(await closed).toMatchObject(expected);
  await error;
});

test('a worker that dies without an answer is reported with its ending and its output', async () => {
  const { worker, unpacking } = start();
  unpacking.input.on('error', () => undefined);
  worker.ending = 'by signal 11';
  worker.end('{"ok":tr', 'FATAL ERROR: heap\n');
  await expect(unpacking.finish()).rejects.toMatchObject({
    code: 'ERR_TSRUN_UNPACK_WORKER',
    message:
      'the process that unpacks layers ended by signal 11 without a result; it wrote: FATAL ERROR: heap',
  });
});

test('abort() kills the worker, waits for it, and is no error', async () => {
  const { worker, unpacking } = start();
  unpacking.input.on('error', () => undefined);
  unpacking.input.write(Buffer.alloc(5000));
  await unpacking.abort();
  expect([worker.killed, worker.reaped, unpacking.input.destroyed]).toEqual([1, 1, true]);
});

test('writing after the worker has ended ends too', async () => {
  const { worker, unpacking } = start();
  const failed = new Promise((resolve) => unpacking.input.on('error', resolve));
  unpacking.input.write(Buffer.alloc(500_000));
  worker.end('');
  expect(await failed).toMatchObject({ code: 'ERR_TSRUN_UNPACK_WORKER' });
  await expect(unpacking.finish()).rejects.toThrow();
});
