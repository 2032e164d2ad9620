/**
 * certs.d: own certificates for a registry, in the directories that podman and docker read (containers-certs.d(5)).
 *
 * <directory>/<host[:port]>/*.crt are certificate authorities; *.cert with the *.key of the same name is a client certificate.
 * The first directory that has the host counts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

/** Options of tls.connect; empty when nothing is configured. */
export interface TlsFiles {
  ca?: string[];
  cert?: string;
  key?: string;
}

export function certificateDirectories(environment: NodeJS.ProcessEnv): string[] {
  const config = environment.XDG_CONFIG_HOME || join(homedir(), '.config');
  return [
    join(config, 'containers', 'certs.d'),
    '/etc/containers/certs.d',
    join(config, 'docker', 'certs.d'),
    '/etc/docker/certs.d',
  ];
}

/** Reads the certificates for a registry. Throws the system's error when a file is there but cannot be read. */
export function readTlsFiles(registry: string, directories: readonly string[]): TlsFiles {
  const directory = directories.map((base) => join(base, registry)).find((path) => existsSync(path));
  if (directory === undefined) return {};
  const names = readdirSync(directory).sort();
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  const files: TlsFiles = {};
  const authorities = names.filter((name) => name.endsWith('.crt'));
  if (authorities.length > 0) files.ca = [...rootCertificates, ...authorities.map(read)];
  const cert = names.find((name) => name.endsWith('.cert'));
  const key = cert?.replace(/\.cert$/, '.key');
  if (cert !== undefined && key !== undefined && names.includes(key)) {
    files.cert = read(cert);
    files.key = read(key);
  }
  return files;
}
