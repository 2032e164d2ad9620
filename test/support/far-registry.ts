/** A fake registry that is reached as `registry.test`, over TLS and by a proxy: one that is not on this machine, as far as tsrun knows. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type FakeRegistry, type Override, startFakeRegistry } from './fake-registry.ts';
import type { ImageFixture } from './image-fixture.ts';
import { temporaryDirectoryForTest } from './temporary-store.ts';
import { makeCertificate } from './test-certificate.ts';

export interface FarRegistry {
  registry: FakeRegistry;
  /** Trusts the certificate, and goes by the proxy. */
  environment: NodeJS.ProcessEnv;
  /** `host:port` of all tunnels that were asked for; each leads to the registry. */
  tunnels: string[];
}

export const FAR_HOST = 'registry.test';

export async function startFarRegistry(
  image: ImageFixture,
  override: Override = () => false,
): Promise<FarRegistry> {
  const directory = temporaryDirectoryForTest();
  const certificate = makeCertificate(directory);
  const registry = await startFakeRegistry(image, override, certificate);
  const certs = join(directory, 'containers', 'certs.d', FAR_HOST);
  mkdirSync(certs, { recursive: true });
  writeFileSync(join(certs, 'ca.crt'), certificate.cert);
  const tunnels: string[] = [];
  const proxy = createServer().on('connect', (request, client) => {
    tunnels.push(request.url ?? '');
    const server = connect(Number(new URL(registry.origin).port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    for (const socket of [client, server]) socket.on('error', () => server.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const https_proxy = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`;
  return { registry, environment: { HOME: directory, XDG_CONFIG_HOME: directory, https_proxy }, tunnels };
}
