/** What tests need of HTTP. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tsrun } from './tsrun.ts';
import { until } from './until.ts';

const PATIENCE_MS = 40_000;

/** The host port of a line of `tsrun port`, such as `127.0.0.1:40123`. */
export const publishedPort = (line: string): number => Number(line.slice(line.lastIndexOf(':') + 1));

/** Waits until a container's server, of which nothing is published, listens on port 80. */
export async function untilServed(tsrun: Tsrun, container: string): Promise<void> {
  const dial = ['exec', container, 'nc', '-w', '5', '127.0.0.1', '80'];
  await until(`${container} serves`, async () => (await tsrun.run(dial)).status === 0);
}

/** Body of `http://127.0.0.1:<port>/`, asked for until the server listens. Rejects when it does not in time. */
export async function fetchText(port: number): Promise<string> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
      return await response.text();
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(20);
    }
  }
}
