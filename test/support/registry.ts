/**
 * A registry for a test: Debian's docker-registry on a loopback port of its own, its data in a temporary directory.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type TestImageName, testImage } from './images.ts';
import { makeCertificate } from './test-certificate.ts';
import { startTokenServer, type TokenServer } from './token-server.ts';

const execute = promisify(execFile);

export interface Credentials {
  user: string;
  password: string;
}

export interface RegistryOptions {
  /** One user, with basic authentication; anybody may do everything without it. */
  credentials?: Credentials;
  /** The user logs in at a token server instead. */
  tokens?: boolean;
  /** Serves TLS with a certificate for 127.0.0.1 that no authority has signed. */
  tls?: boolean;
}

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly tokenServer: TokenServer | undefined;
  /** PEM of the certificate, with `tls`. */
  readonly certificate: string | undefined;
  /** Its data: blobs can be damaged here. */
  readonly directory: string;
  /** Pushes the OCI layout of `image` as `<host>/<name>`, `name` with or without a tag. Returns that reference. */
  push(image: TestImageName, name?: string): Promise<string>;
}

async function authentication(directory: string, options: RegistryOptions, tokens: TokenServer | undefined) {
  if (tokens) {
    const { realm, service, issuer, certificate } = tokens;
    return `auth:\n  token:\n    realm: ${realm}\n    service: ${service}\n    issuer: ${issuer}\n    rootcertbundle: ${certificate}\n`;
  }
  if (!options.credentials) return '';
  const htpasswd = join(directory, 'htpasswd');
  await writeHtpasswd(htpasswd, options.credentials);
  return `auth:\n  htpasswd:\n    realm: tsrun tests\n    path: ${htpasswd}\n`;
}

function configuration(data: string, auth: string, tls: string): string {
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
${tls}${auth}`;
}

/** docker-registry accepts bcrypt only. */
async function writeHtpasswd(file: string, { user, password }: Credentials): Promise<void> {
  const { stdout } = await execute('htpasswd', ['-Bbn', user, password]);
  await writeFile(file, stdout, { mode: 0o600 });
}

/** Starts a registry and resolves when it listens. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const directory = await mkdtemp('/var/tmp/tsrun-registry-');
  const { user, password } = options.credentials ?? {};
  const tokenServer = options.tokens ? await startTokenServer(directory, `${user}:${password}`) : undefined;
  const certificate = options.tls ? makeCertificate(directory).cert : undefined;
  const tls = certificate
    ? `  tls:\n    certificate: ${directory}/cert.pem\n    key: ${directory}/key.pem\n`
    : '';
  const file = join(directory, 'config.yml');
  const auth = await authentication(directory, options, tokenServer);
  await writeFile(file, configuration(join(directory, 'data'), auth, tls));
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
    tokenServer,
    certificate,
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
      await tokenServer?.[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
