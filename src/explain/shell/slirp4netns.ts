/** slirp4netns(1) as lines of the script: started, awaited, told of published ports. */
import type { PortMapping } from '../../network/driver.ts';
import { addHostForward } from '../../network/slirp4netns.ts';
import { quote } from './quote.ts';

/** Waits for what a helper writes when it is ready; fails when the helper, the last that was started, has ended. */
export const AWAIT_HELPER =
  'until [ -s "$dir/network.ready" ]; do kill -0 $! 2>/dev/null || exit 1; sleep 0.02; done';

/** @param netns whose network it is, as the shell says it. @param device in that. Its pid is added to "$dir/network.pid". */
export const startSlirp4netns = (netns: string, device: string): string[] => [
  'slirp4netns --configure --mtu=65520 --disable-host-loopback --ready-fd=3 --api-socket="$dir/api.sock" \\',
  `  --userns-path="/proc/$pid/ns/user" --netns-type=path "${netns}" ${device} 3>"$dir/network.ready" >"$dir/slirp.log" &`,
  'echo $! >>"$dir/network.pid"',
  AWAIT_HELPER,
];

/** @param address of the container, as slirp4netns reaches it */
export const publishBySlirp4netns = (ports: readonly PortMapping[], address: string): string[] =>
  ports.map((port) => {
    const request = addHostForward({ ...port, hostIp: port.hostIp || '0.0.0.0' }, address);
    return `printf %s ${quote(request)} | socat -t 5 - "UNIX-CONNECT:$dir/api.sock" # needs socat(1)`;
  });
