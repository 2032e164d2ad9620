/**
 * The certificate authorities that this machine trusts. Node has a list of its own; what the administrator has added to or taken from
 * the system's counts for every other program, and so it does here.
 */
import { existsSync, readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** Where distributions keep all trusted certificates in one file: Debian, Fedora, openSUSE, older RHEL, Alpine. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** PEM texts: `$SSL_CERT_FILE` or the system's bundle (Node's own where there is none), and `$NODE_EXTRA_CA_CERTS`. */
export function systemAuthorities(environment: NodeJS.ProcessEnv): string[] {
  const bundle = [environment.SSL_CERT_FILE, ...BUNDLES].find((path) => path && existsSync(path));
  const extra = environment.NODE_EXTRA_CA_CERTS;
  return [
    ...(bundle ? [readFileSync(bundle, 'utf8')] : rootCertificates),
    ...(extra && existsSync(extra) ? [readFileSync(extra, 'utf8')] : []),
  ];
}
