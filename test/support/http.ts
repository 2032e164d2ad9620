/** What tests need of HTTP. */
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 40_000;

/** The host port of a line of `tsrun port`, such as `127.0.0.1:40123`. */
export const publishedPort = (line: string): number => Number(line.slice(line.lastIndexOf(':') + 1));

/** Body of `http://127.0.0.1:<port>/`, asked for until the server listens. Rejects when it does not within 10 s. */
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
