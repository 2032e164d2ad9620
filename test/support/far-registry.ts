/** A fake registry that is reached as `registry.test`, over TLS and by a proxy: one that is not on this machine, as far as tsrun knows. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FakeRegistry, type Override, startFakeRegistry } from './fake-registry.ts';
import type { ImageFixture } from './image-fixture.ts';
import { temporaryDirectoryForTest } from './temporary-store.ts';
import { makeCertificate } from './test-certificate.ts';
import { startTunnel } from './tunnel.ts';

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
  const { https_proxy, tunnels } = await startTunnel(registry.origin);
  return { registry, environment: { HOME: directory, XDG_CONFIG_HOME: directory, https_proxy }, tunnels };
}
