/** Values of options that are one word: checked here, so that a slip is found before anything is pulled. */
import { isIP } from 'node:net';
import { applyCapAddDrop, DEFAULT_CAPABILITIES } from '../../launch/capabilities.ts';
import { parseUlimit } from '../../launch/rlimits.ts';
import { parseSignal } from '../../launch/signals.ts';
import { parseAddHost } from '../../network/hosts-file.ts';
import { isIpv4, parseIp } from '../../network/ip-address.ts';
import { parseNetwork } from '../../network/parse-network.ts';
import { formatPlatform, parsePlatform } from '../../spec/platform.ts';
import { namespaceFile } from './namespace-mode.ts';
import { usageError } from './usage.ts';

/** sethostname(2): at most 64 bytes. */
export function parseHostname(text: string): string {
  if (/^[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,62}[a-zA-Z0-9])?$/.test(text)) return text;
  throw usageError(`--hostname ${text}: not a host name (letters, digits, - and ., at most 64)`, '-h web');
}

/** The signal as it was written. */
export function checkSignal(text: string): string {
  parseSignal(text);
  return text;
}

/** The limit as it was written. */
export function checkUlimit(text: string): string {
  parseUlimit(text);
  return text;
}

/** Capabilities as they were written, one or several with commas between. */
export function parseCapabilities(option: 'add' | 'drop'): (text: string) => string[] {
  return (text) => {
    const names = text.split(',');
    applyCapAddDrop(option === 'add' ? names : [], option === 'drop' ? names : [], DEFAULT_CAPABILITIES);
    return names;
  };
}

/** A parser for IP addresses with commas between. */
export const addresses =
  (option: string) =>
  (text: string): string[] => {
    const found = text.split(',');
    const wrong = found.find((address) => isIP(address) === 0);
    if (wrong === undefined) return found;
    throw usageError(`${option} ${text}: "${wrong}" is not an IP address`, `${option} 9.9.9.9`);
  };

/** `NAME:ADDRESS` as it was written; `host-gateway` is looked up when the network is known. */
export function checkAddHost(text: string): string {
  parseAddHost(text, '0.0.0.0');
  return text;
}

/** `--network` as it was written. */
export function checkNetwork(text: string): string {
  const mode = parseNetwork(text);
  if (mode.kind === 'ns') namespaceFile('--network', mode.path);
  return text;
}

/** One IP address of a version, in its shortest form. */
export const address =
  (option: string, version: 4 | 6) =>
  (text: string): string => {
    const parsed = parseIp(text);
    if (parsed !== undefined && isIpv4(parsed) === (version === 4)) return parsed;
    throw usageError(
      `${option} ${text}: not an IPv${version} address`,
      `${option} ${version === 4 ? '10.90.1.5' : 'fd00::5'}`,
    );
  };

/** A name for DNS (RFC 1123, with the underscore that many use). */
export function networkAlias(text: string): string {
  if (/^[a-z0-9_]([\w.-]{0,61}[a-z0-9_])?$/i.test(text)) return text;
  throw usageError(`--network-alias ${text}: not a host name`, '--network-alias db');
}

/** `--platform`, in full. */
export const checkPlatform = (text: string): string => formatPlatform(parsePlatform(text));
