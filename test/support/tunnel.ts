/** A proxy for https (RFC 9110 §9.3.6, CONNECT), and for plain http, that leads to one server, whatever it is asked for; it ends with the test. */
import { once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';

/** @returns its URL, and what it was asked for so far, as HOST:PORT, or as URLs of plain http */
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
  proxy.on('request', (request, response) => {
    tunnels.push(request.url ?? '');
    const { pathname, search } = new URL(request.url ?? '');
    const { method, headers } = request;
    const onward = ask(new URL(pathname + search, origin), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const https_proxy = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
  return { https_proxy, tunnels };
}
