/** A proxy for https (RFC 9110 §9.3.6, CONNECT) that leads to one server, whatever it is asked for; it ends with the test. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';

/** @returns its URL, and what it was asked for so far, as HOST:PORT */
export async function startTunnel(origin: string): Promise<{ https_proxy: string; tunnels: string[] }> {
  const tunnels: string[] = [];
  const proxy = createServer().on('connect', (request, client) => {
    tunnels.push(request.url ?? '');
    const server = connect(Number(new URL(origin).port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    for (const socket of [client, server]) socket.on('error', () => server.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const https_proxy = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
  return { https_proxy, tunnels };
}
