/** How registries are spoken to: the same options wherever one is. */
import type { RegistryAccess } from '../../registry/access.ts';
import { usageError } from '../parse/usage.ts';
import { nonEmpty, wholeNumber } from '../parse/words-of-choice.ts';
import { unsaidFlag, type Values, value } from './option.ts';

/** `USER:PASSWORD`; a password may hold colons. */
function parseCredentials(text: string): { username: string; password: string } {
  const colon = text.indexOf(':');
  // The text is not quoted: it may well be a password.
  if (colon < 1) throw usageError('--creds needs USER:PASSWORD', 'tsrun login REGISTRY   # asks for both');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** `5s`, `1m30s`; in milliseconds. */
function parseDelay(text: string): number {
  const [, minutes = 0, seconds = 0] = /^(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text) ?? [];
  const delayMs = Number(minutes) * 60_000 + Number(seconds) * 1000;
  if (text === '' || !/[sm]$/.test(text) || Number.isNaN(delayMs)) {
    throw usageError(`--retry-delay ${text}: not a duration`, '--retry-delay 5s');
  }
  return delayMs;
}

/** For `login` too. */
export const TRUST_OPTIONS = {
  'cert-dir': value(
    'DIRECTORY',
    'Certificates of the registry (*.crt) and for it (*.cert with *.key), instead of those in certs.d',
    nonEmpty('--cert-dir'),
  ),
  'tls-verify': unsaidFlag(
    "Insist on TLS and a valid certificate; =false also takes plain http and anyone's certificate",
    'as registries.conf says; plain http on this machine only',
  ),
};

export const AUTHFILE_OPTION = {
  authfile: value(
    'FILE',
    'The file of logins, instead of those of podman and docker',
    nonEmpty('--authfile'),
    {
      default: '$REGISTRY_AUTH_FILE',
    },
  ),
};

/** For everything that takes in images. */
export const POLICY_OPTION = {
  'signature-policy': value(
    'FILE',
    'The policy that images must meet (containers-policy.json(5))',
    nonEmpty('--signature-policy'),
    { default: "the user's or the system's policy.json" },
  ),
};

/** For everything that fetches or pushes. */
export const REGISTRY_OPTIONS = {
  ...TRUST_OPTIONS,
  ...AUTHFILE_OPTION,
  creds: value('USER:PASSWORD', 'Log in so, this time', parseCredentials),
  retry: value('N', 'How often a failed request is made again', wholeNumber('--retry', 0), { default: '4' }),
  'retry-delay': value('TIME', 'How long to wait before that at first', parseDelay, { default: '0.5s' }),
};

export type GivenAccess = Partial<Values<typeof REGISTRY_OPTIONS>>;

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const RETRIES = 4;

/** What the engine is told of it. */
export function registryAccess(given: GivenAccess): RegistryAccess {
  const { retry, 'retry-delay': firstDelayMs } = given;
  const isRetrySaid = retry !== undefined || firstDelayMs !== undefined;
  return {
    credentials: given.creds,
    authFile: given.authfile,
    tlsVerify: given['tls-verify'],
    certificateDirectory: given['cert-dir'],
    retry: isRetrySaid
      ? {
          attempts: (retry ?? RETRIES) + 1,
          firstDelayMs: firstDelayMs ?? FIRST_DELAY_MS,
          longestDelayMs: Math.max(LONGEST_DELAY_MS, firstDelayMs ?? 0),
        }
      : undefined,
  };
}
