/** How the user wants a registry to be spoken to, and the client that does. Loads undici: import it only when a registry is asked. */
import type { Credentials } from './auth-file.ts';
import { findCredentials } from './auth-files.ts';
import { RegistryClient } from './client.ts';
import type { RetryPolicy } from './retry.ts';
import { certificateDirectories, readCertificateDirectory, readTlsFiles } from './tls-files.ts';
import type { Patience } from './transport.ts';

export interface RegistryAccess {
  /** --creds: instead of those in the files of podman and docker */
  credentials?: Credentials | undefined;
  /** --authfile: the one file of logins that is looked at */
  authFile?: string | undefined;
  /** --tls-verify; undefined: certificates are verified, and on this machine plain http is as good. */
  tlsVerify?: boolean | undefined;
  /** --cert-dir: *.crt, *.cert and *.key of the registry, instead of those in certs.d */
  certificateDirectory?: string | undefined;
  /** Where proxies and the files of logins are looked up; process.env. */
  environment?: NodeJS.ProcessEnv;
  retry?: RetryPolicy | undefined;
  patience?: Patience | undefined;
}

export interface ClientCallbacks {
  onRetry?: (failure: Error, delayMs: number) => void;
  signal?: AbortSignal | undefined;
}

/** A client for `registry`; close it. Throws ERR_TSRUN_CERTIFICATES. */
export function openClient(
  registry: string,
  access: RegistryAccess,
  callbacks: ClientCallbacks = {},
): RegistryClient {
  const { credentials, authFile, tlsVerify, certificateDirectory, retry, patience } = access;
  const environment = access.environment ?? process.env;
  const found = new Map<string, Promise<Credentials | undefined>>();
  const lookUp = (repository: string): Promise<Credentials | undefined> => {
    const kept = found.get(repository) ?? findCredentials(registry, repository, environment, authFile);
    found.set(repository, kept);
    return kept;
  };
  const tls =
    certificateDirectory === undefined
      ? readTlsFiles(registry, certificateDirectories(environment))
      : readCertificateDirectory(certificateDirectory);
  return new RegistryClient({
    registry,
    credentials: credentials === undefined ? lookUp : async () => credentials,
    tls,
    tlsVerify,
    environment,
    patience,
    ...(retry && { retry }),
    ...callbacks,
  });
}
