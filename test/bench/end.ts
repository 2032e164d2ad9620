/** How long a container takes to be gone when its command ends at once: the kernel's part of every `stop`. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';
import { HOLDER_COMMAND } from './holder.ts';

const NAME = 'tsrun-bench-end';
const LOOK_MS = 0.5;
/** Until the shell has set its trap. */
const SETTLE_MS = 100;

/** From SIGTERM until the process is reaped, in milliseconds. */
export async function containerEnd(engine: Engine): Promise<number> {
  await engine.run(
    'run',
    '-d',
    '--name',
    NAME,
    '--network',
    'none',
    engine.reference('busybox'),
    ...HOLDER_COMMAND,
  );
  try {
    const { stdout } = await engine.run('inspect', '--format', '{{.State.Pid}}', NAME);
    const pid = Number(stdout);
    await sleep(SETTLE_MS);
    const start = process.hrtime.bigint();
    process.kill(pid, 'SIGTERM');
    while (existsSync(`/proc/${pid}`)) await sleep(LOOK_MS);
    return Number(process.hrtime.bigint() - start) / 1e6;
  } finally {
    await engine.run('rm', '-f', NAME);
  }
}
