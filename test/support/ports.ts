/** TCP ports of the host. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Can this process listen there now, without SO_REUSEPORT tricks? */
export async function canListen(port: number, address = '0.0.0.0'): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, address);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
