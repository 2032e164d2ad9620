/**
 * certs.d: own certificates for a registry, in the directories that podman and docker read (containers-certs.d(5)).
 *
 * <directory>/<host[:port]>/*.crt are certificate authorities; *.cert with the *.key of the same name is a client certificate.
 * The first directory that has the host counts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import { homeDirectory } from '../sys/home-directory.ts';

/** PEM texts; empty when nothing is configured. */
export interface TlsFiles {
  /** Where they are from. */
  directory?: string;
  /** Trusted beside those of the system. */
  ca?: string[];
  cert?: string;
  key?: string;
}

/** User's before system's, podman's before docker's; ~/.docker is where docker's own client has none, but Docker Desktop looks. */
export function certificateDirectories(environment: NodeJS.ProcessEnv): string[] {
  const home = homeDirectory(environment);
  const config = environment.XDG_CONFIG_HOME || join(home, '.config');
  return [
    join(config, 'containers', 'certs.d'),
    '/etc/containers/certs.d',
    join(config, 'docker', 'certs.d'),
    join(environment.DOCKER_CONFIG || join(home, '.docker'), 'certs.d'),
    '/etc/docker/certs.d',
  ];
}

/** The certificates of one directory. Throws ERR_TSRUN_CERTIFICATES when it, or what is in it, cannot be used. */
export function readCertificateDirectory(directory: string): TlsFiles {
  const fail = (problem: string, cause?: unknown): Error =>
    tsrunError('ERR_TSRUN_CERTIFICATES', { directory, problem }, cause);
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  const files: TlsFiles = { directory };
  try {
    const names = readdirSync(directory).sort();
    const authorities = names.filter((name) => name.endsWith('.crt'));
    if (authorities.length > 0) files.ca = authorities.map(read);
    for (const name of names.filter((each) => /\.(?:cert|key)$/.test(each))) {
      const pair = name.endsWith('.key') ? name.replace(/key$/, 'cert') : name.replace(/cert$/, 'key');
      if (!names.includes(pair)) throw fail(`${name} has no ${pair} beside it`);
    }
    const cert = names.find((name) => name.endsWith('.cert'));
    if (cert !== undefined) {
      files.cert = read(cert);
      files.key = read(cert.replace(/cert$/, 'key'));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw fail('it cannot be read', error);
  }
  return files;
}

/** The certificates for a registry. Throws ERR_TSRUN_CERTIFICATES. */
export function readTlsFiles(registry: string, directories: readonly string[]): TlsFiles {
  const directory = directories.map((base) => join(base, registry)).find((path) => existsSync(path));
  return directory === undefined ? {} : readCertificateDirectory(directory);
}
