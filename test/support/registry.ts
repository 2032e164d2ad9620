/**
 * A registry for a test: Debian's docker-registry on a loopback port of its own, its data in a temporary directory.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type TestImageName, testImage } from './images.ts';

const execute = promisify(execFile);

export interface Credentials {
  user: string;
  password: string;
}

export interface RegistryOptions {
  /** Basic authentication with one user; anybody may do everything without it. */
  credentials?: Credentials;
}

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Its data: blobs can be damaged here. */
  readonly directory: string;
  /** Pushes the OCI layout of `image` as `<host>/<name>`, `name` with or without a tag. Returns that reference. */
  push(image: TestImageName, name?: string): Promise<string>;
}

function configuration(data: string, htpasswd: string | undefined): string {
  const auth = htpasswd ? `auth:\n  htpasswd:\n    realm: tsrun tests\n    path: ${htpasswd}\n` : '';
  return `version: 0.1
log:
  level: info
storage:
  filesystem:
    rootdirectory: ${data}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:0
${auth}`;
}

/** docker-registry accepts bcrypt only. */
async function writeHtpasswd(file: string, { user, password }: Credentials): Promise<void> {
  const { stdout } = await execute('htpasswd', ['-Bbn', user, password]);
  await writeFile(file, stdout, { mode: 0o600 });
}

/** Starts a registry and resolves when it listens. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const directory = await mkdtemp('/var/tmp/tsrun-registry-');
  const htpasswd = options.credentials ? join(directory, 'htpasswd') : undefined;
  if (options.credentials && htpasswd) await writeHtpasswd(htpasswd, options.credentials);
  const file = join(directory, 'config.yml');
  await writeFile(file, configuration(join(directory, 'data'), htpasswd));
  const child = spawn('docker-registry', ['serve', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const host = await new Promise<string>((resolve, reject) => {
    let log = '';
    child.once('error', reject);
    child.once('close', () => reject(new Error(`docker-registry ended: ${log}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(log)?.[1];
      if (port) resolve(`127.0.0.1:${port}`);
    });
  });
  return {
    host,
    directory,
    async push(image, name = image) {
      const reference = `${host}/${name}`;
      const credentials = options.credentials;
      await execute('skopeo', [
        '--insecure-policy',
        'copy',
        '--quiet',
        '--dest-tls-verify=false',
        ...(credentials ? ['--dest-creds', `${credentials.user}:${credentials.password}`] : []),
        `oci:${await testImage(image)}:latest`,
        `docker://${reference}`,
      ]);
      return reference;
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await closed;
      await rm(directory, { recursive: true });
    },
  };
}
