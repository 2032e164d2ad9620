/** A container whose command is ping, on a machine that lets it reach nobody outside: said once, where one wonders why nothing answers. */
import { readFileSync } from 'node:fs';

const RANGE = '/proc/sys/net/ipv4/ping_group_range';

/** Drivers whose echo requests to the outside a helper sends by the user's own rights. */
const HELPED = ['bridge', 'slirp4netns', 'pasta'];

/**
 * @param command the container's
 * @param driver of its network
 * @param range the host's net.ipv4.ping_group_range
 * @param group of the user
 */
export function pingHint(
  command: readonly string[],
  driver: string,
  range: string,
  group: number,
): string | undefined {
  const name = command[0]?.replace(/.*\//, '');
  const applet = name === 'busybox' ? command[1] : name;
  if ((applet !== 'ping' && applet !== 'ping6') || !HELPED.includes(driver)) return undefined;
  const [low = 1, high = 0] = range.trim().split(/\s+/).map(Number);
  if (low <= group && group <= high) return undefined;
  return `nothing outside answers to ping: net.ipv4.ping_group_range of this machine is ${low} ${high}, without group ${group} (tsrun doctor: how to change it)`;
}

/** The same, on this machine. */
export function pingHintHere(command: readonly string[], driver: string): string | undefined {
  if (!command.slice(0, 2).some((word) => /(^|\/)ping6?$/.test(word))) return undefined; // and nothing is read
  try {
    return pingHint(command, driver, readFileSync(RANGE, 'latin1'), process.getgid?.() ?? 0);
  } catch {
    return undefined; // no /proc/sys: nothing is known
  }
}
