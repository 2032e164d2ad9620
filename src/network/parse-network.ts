/** `--network MODE[:OPTION,…]`, in podman's words. */
import { tsrunError } from '../errors.ts';
import { DEFAULT_NETWORK, type EndpointRequest } from './bridge-network.ts';
import { isIpv4, parseIp } from './ip-address.ts';
import { PASTA_RESERVED } from './pasta.ts';
import { parseSlirpOptions, type SlirpOptions } from './slirp4netns-options.ts';

export type NetworkMode =
  | { kind: 'none' }
  | { kind: 'host' }
  /** The better helper that is there. */
  | { kind: 'private' }
  | { kind: 'pasta'; options: string[] }
  | { kind: 'slirp4netns'; options: SlirpOptions }
  /** The network namespace of another container. */
  | { kind: 'container'; container: string }
  /** The network namespace bound at a path. */
  | { kind: 'ns'; path: string }
  /** The default bridge, or networks made by `network create`. */
  | { kind: 'bridge'; networks: EndpointRequest[] };

/** @param text undefined = private. @throws ERR_TSRUN_USAGE */
export function parseNetwork(text: string | undefined): NetworkMode {
  if (text === undefined) return { kind: 'private' };
  const at = text.indexOf(':');
  const [mode, rest] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
  const refuse = (problem: string, hint: string) =>
    tsrunError('ERR_TSRUN_USAGE', { problem: `--network ${text}: ${problem}`, hint });
  const words = rest === undefined || rest === '' ? [] : rest.split(',');
  switch (mode) {
    case 'none':
    case 'host':
    case 'private':
      if (rest !== undefined) throw refuse(`${mode} takes no options`, `--network ${mode}`);
      return { kind: mode };
    case 'default':
      return { kind: 'private' };
    case 'pasta': {
      const reserved = words.find((word) => PASTA_RESERVED.includes(word.split('=', 1)[0] ?? ''));
      if (reserved !== undefined) throw refuse(`${reserved} is tsrun's own`, 'leave it out');
      return { kind: 'pasta', options: words };
    }
    case 'slirp4netns':
      return { kind: 'slirp4netns', options: parseSlirpOptions(words) };
    case 'container':
      if (!rest) throw refuse('which container?', '--network container:NAME');
      return { kind: 'container', container: rest };
    case 'ns':
      if (!rest?.startsWith('/'))
        throw refuse('an absolute path is expected', '--network ns:/proc/PID/ns/net');
      return { kind: 'ns', path: rest };
  }
  return { kind: 'bridge', networks: parseEndpoints(text) };
}

/** Modes that are no bridge networks, and cannot be one of several. */
export const NETWORK_MODES = [
  'none',
  'host',
  'private',
  'default',
  'pasta',
  'slirp4netns',
  'container',
  'ns',
];

/** `back,front:ip=10.90.1.5,alias=db,alias=sql`: a word with `=` belongs to the network before it. docker's `name=front,ip=…` is the same. */
function parseEndpoints(text: string): EndpointRequest[] {
  const endpoints: EndpointRequest[] = [];
  const refuse = (problem: string, hint: string) =>
    tsrunError('ERR_TSRUN_USAGE', { problem: `--network ${text}: ${problem}`, hint });
  for (const word of text.split(',')) {
    const last = endpoints.at(-1);
    if (last && /^(?!name=)[\w-]+=/.test(word)) {
      Object.assign(last, parseEndpointOption(word, last, refuse));
      continue;
    }
    const [, name = '', option] = /^(?:name=)?([a-zA-Z0-9][\w.-]*)(?::(.*))?$/.exec(word) ?? [];
    if (NETWORK_MODES.includes(name) && (endpoints.length > 0 || text.includes(','))) {
      throw refuse(`${name} cannot be had together with other networks`, `--network ${name}`);
    }
    if (name === '' || NETWORK_MODES.includes(name)) {
      throw refuse(
        'no such network mode',
        '--network NETWORK, bridge, none, host, private, pasta, slirp4netns, container:NAME or ns:PATH',
      );
    }
    if (endpoints.some((other) => other.name === name))
      throw refuse(`${name} is there twice`, `--network ${name}`);
    const endpoint: EndpointRequest = { name, aliases: [] };
    endpoints.push(
      option === undefined ? endpoint : { ...endpoint, ...parseEndpointOption(option, endpoint, refuse) },
    );
  }
  const interfaces = endpoints.flatMap(({ interfaceName }) => interfaceName ?? []);
  if (new Set(interfaces).size < interfaces.length)
    throw refuse('two interfaces cannot have one name', 'interface_name=lan0 and interface_name=wan0');
  return endpoints;
}

function parseEndpointOption(
  word: string,
  endpoint: EndpointRequest,
  refuse: (problem: string, hint: string) => Error,
): Partial<EndpointRequest> {
  const [, key = '', value = ''] = /^([\w-]+)=(.+)$/.exec(word) ?? [];
  const address = parseIp(value);
  switch (key) {
    case 'ip':
      if (address === undefined) throw refuse(`"${value}" is no IP address`, 'ip=10.90.1.5');
      return isIpv4(address) ? { ipv4: address } : { ipv6: address };
    case 'ip6':
      if (address === undefined || isIpv4(address))
        throw refuse(`"${value}" is no IPv6 address`, 'ip6=fd00::5');
      return { ipv6: address };
    case 'mac':
    case 'mac-address':
      return { mac: parseMac(value) };
    case 'interface_name':
      return { interfaceName: parseInterfaceName(value, refuse) };
    case 'alias':
      return { aliases: [...endpoint.aliases, value] };
    default:
      throw refuse(`${word} is not one of a network’s options`, 'ip=, ip6=, mac=, alias= or interface_name=');
  }
}

/** As the kernel takes them, of letters that need no quotes; `all` and `default` are of /proc/sys/net. */
function parseInterfaceName(text: string, refuse: (problem: string, hint: string) => Error): string {
  if (/^[\w.-]{1,15}$/.test(text) && !['.', '..', 'lo', 'all', 'default'].includes(text)) return text;
  throw refuse(
    `"${text}" cannot be the name of an interface`,
    'interface_name=wan0   # 15 letters, digits, "_", "." and "-" at most',
  );
}

/** @throws ERR_TSRUN_USAGE; a group address (an odd first byte) is nobody's */
export function parseMac(text: string): string {
  if (/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/i.test(text)) return text.toLowerCase();
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `"${text}" is no MAC address of an interface`,
    hint: '--mac-address 02:42:0a:5a:00:05',
  });
}

/** --ip, --ip6, --mac-address and --network-alias, which are of the container's one network; aliases are of all. */
export interface EndpointOptions {
  ipv4?: string | undefined;
  ipv6?: string | undefined;
  mac?: string | undefined;
  aliases: readonly string[];
}

/** @param fallback the mode when none is given. @throws ERR_TSRUN_USAGE for options that the mode has no use for */
export function networkMode(text: string | undefined, options: EndpointOptions | undefined): NetworkMode {
  const mode = parseNetwork(text);
  if (!options) return mode;
  const { aliases, ...single } = options;
  const given = Object.values(single).some((value) => value !== undefined);
  if (!given && aliases.length === 0) return mode;
  if (mode.kind !== 'bridge' || (given && mode.networks.length !== 1)) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `--ip, --ip6, --mac-address and --network-alias are for a container on ${given ? 'one bridge network' : 'bridge networks'}`,
      hint: `--network ${DEFAULT_NETWORK}; or --network NETWORK:ip=ADDRESS,mac=ADDRESS,alias=NAME`,
    });
  }
  const set = Object.fromEntries(Object.entries(single).filter(([, value]) => value !== undefined));
  return {
    kind: 'bridge',
    networks: mode.networks.map((endpoint) => ({
      ...endpoint,
      ...set,
      aliases: [...endpoint.aliases, ...aliases],
    })),
  };
}
