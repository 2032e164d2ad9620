import { NO_STREAMS, type Streams } from '../../supervisor/messages.ts';
import { Foreground } from '../attach/foreground.ts';
import { type Context, defineCommand } from '../command.ts';
import { endStatus } from '../end-status.ts';
import { noteLinger } from '../linger-note.ts';
import { createRequest, RUN_OPTIONS } from '../options/create-options.ts';
import type { Values } from '../options/option.ts';
import { UNSUPPORTED_CREATE_OPTIONS } from '../options/unsupported.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { pullProgress } from '../pull-progress.ts';
import { requireNewCidfile } from './create.ts';

type Given = Values<typeof RUN_OPTIONS>;

/** Which of the command's streams are the user's. Throws ERR_TSRUN_USAGE. */
export function attachedStreams(
  given: Pick<Given, 'attach' | 'detach' | 'interactive'> & Partial<Pick<Given, 'log-driver'>>,
): Streams {
  if (given.detach && given.attach.length > 0) {
    throw usageError('-d and -a contradict each other', 'tsrun run -d …   # or: tsrun run -a stdout …');
  }
  if (given['log-driver'] === 'passthrough' && given.attach.length > 0)
    throw usageError('-a and --log-driver passthrough contradict each other: the container has your streams');
  if (given.detach || given['log-driver'] === 'passthrough') return NO_STREAMS;
  const wants = (stream: (typeof given.attach)[number]): boolean =>
    given.attach.length === 0 || given.attach.includes(stream);
  return { stdin: given.interactive && wants('stdin'), stdout: wants('stdout'), stderr: wants('stderr') };
}

async function run(given: Given, [image = '', ...command]: string[], context: Context): Promise<number> {
  const streams = attachedStreams(given);
  const request = createRequest(given, image, command);
  const preserve = given['preserve-fds'] ?? 0;
  requireNewCidfile(given.cidfile);
  using foreground = given.detach
    ? undefined
    : await Foreground.open({
        streams,
        tty: given.tty,
        detachKeys: given['detach-keys'],
        sigProxy: given['sig-proxy'],
      });
  const engine = await context.engine();
  const { runContainer } = await import('../../engine/run-container.ts');
  using progress = pullProgress(given.quiet ? 'quiet' : 'auto');
  const size = foreground?.windowSize;
  using trace = given.trace ? (await import('../start-trace.ts')).startTrace() : undefined;
  let started: Awaited<ReturnType<typeof runContainer>>;
  try {
    started = await runContainer(engine, request, {
      attach: streams,
      preserve,
      windowSize: size && { height: size.rows, width: size.columns },
      onEvent: progress.listen,
      get signal() {
        return foreground?.signal; // made when something is to be waited for
      },
      ...trace?.options,
    });
  } catch (error) {
    trace?.print();
    const status = foreground?.interruptedStatus;
    if (status !== undefined) return status;
    throw error;
  }
  trace?.print();
  if (!foreground) {
    started.client.close();
    print(`${started.record.id}\n`);
    noteLinger(engine);
    return 0;
  }
  return await endStatus(
    engine,
    started.record,
    await foreground.relay(started.client, started.pid, started.record.name),
  );
}

export const RUN = defineCommand({
  usage: 'IMAGE [COMMAND [ARG…]]',
  operands: [1, Number.POSITIVE_INFINITY],
  text:
    'Makes a container from an image, fetched if it is not in the store, and runs a command in it. In the foreground the exit ' +
    "status is the command's; 125 if tsrun itself fails, 126 if the command cannot be executed, 127 if there is none of that name, " +
    '128+n if signal n ended it.',
  options: RUN_OPTIONS,
  optionsEndAtOperand: true,
  unsupported: { ...UNSUPPORTED_CREATE_OPTIONS, 'preserve-fd': '--preserve-fds N' },
  examples: [
    'tsrun run -d -p 8000:80 httpd',
    'tsrun run --rm -it busybox sh',
    'echo hi | tsrun run -i --rm busybox cat',
  ],
  run,
});
