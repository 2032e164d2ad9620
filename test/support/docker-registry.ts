/** Debian's docker-registry on a port of its own, with its own directory; ends with the test file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import type { Digest } from '../../src/spec/image.ts';
import type { ImageFixture } from './image-fixture.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export interface DockerRegistry {
  /** `127.0.0.1:PORT` */
  host: string;
  directory: string;
}

const CONFIG = (directory: string, port: number, extra: string): string => `version: 0.1
storage:
  filesystem:
    rootdirectory: ${directory}/data
http:
  addr: 127.0.0.1:${port}
${extra}`;

async function waitUntilUp(url: string, child: ChildProcess, log: () => string): Promise<void> {
  while (child.exitCode === null) {
    try {
      await fetch(url);
      return;
    } catch {
      await sleep(20);
    }
  }
  throw new Error(`docker-registry ended: ${log()}`);
}

/** Starts a registry; `extra` is more of its configuration (YAML). */
export async function startDockerRegistry(
  extra: (directory: string) => string = () => '',
): Promise<DockerRegistry> {
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-registry-'));
  const port = await freePort();
  const config = join(directory, 'config.yml');
  writeFileSync(config, CONFIG(directory, port, extra(directory)));
  let log = '';
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  afterAll(async () => {
    if (child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(directory, { recursive: true, force: true });
  });
  await waitUntilUp(`http://127.0.0.1:${port}/v2/`, child, () => log);
  return { host: `127.0.0.1:${port}`, directory };
}

async function expectStatus(response: Response, status: number): Promise<Response> {
  if (response.status !== status) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

async function pushBlob(host: string, repository: string, digest: Digest, bytes: Buffer): Promise<void> {
  const start = await expectStatus(
    await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' }),
    202,
  );
  const location = new URL(start.headers.get('location')!, `http://${host}`);
  location.searchParams.set('digest', digest);
  await expectStatus(await fetch(location, { method: 'PUT', body: new Uint8Array(bytes) }), 201);
}

export async function pushDocument(
  host: string,
  repository: string,
  tag: string,
  type: string,
  bytes: Buffer,
): Promise<void> {
  const url = `http://${host}/v2/${repository}/manifests/${tag}`;
  const headers = { 'content-type': type };
  await expectStatus(await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) }), 201);
}

/** Pushes an image under a tag (or its digest). */
export async function pushImage(
  host: string,
  repository: string,
  tag: string,
  image: ImageFixture,
): Promise<void> {
  for (const [digest, bytes] of image.blobs) await pushBlob(host, repository, digest, bytes);
  await pushDocument(host, repository, tag, image.manifestType, image.manifestBytes);
}
