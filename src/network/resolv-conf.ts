/**
 * The container's /etc/resolv.conf (resolv.conf(5)).
 *
 * The first nameserver of a container with a network of its own is its helper's forwarder, which asks the host's resolver: so a stub on
 * 127.0.0.53 (systemd-resolved) and the split DNS of a VPN work as they do on the host. Copying the addresses behind the stub would
 * bypass both. The host's other nameservers follow, as fallbacks, unless they are loopback addresses, which the container cannot reach.
 */

export interface ResolvConf {
  nameservers: string[];
  search: string[];
  options: string[];
}

/** What the user asked for: --dns, --dns-search, --dns-option. Each replaces the host's lines of its kind. */
export interface DnsRequest {
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOption: readonly string[];
}

/** MAXNS of the C library: further nameservers are ignored. */
const MAX_NAMESERVERS = 3;

/** As the C library reads it: the last `search` or `domain` counts, comments and unknown keywords do not. */
export function parseResolvConf(text: string): ResolvConf {
  const result: ResolvConf = { nameservers: [], search: [], options: [] };
  for (const line of text.split('\n')) {
    if (/^\s*[#;]/.test(line)) continue;
    const [keyword, ...values] = line.trim().split(/\s+/);
    const [first] = values;
    if (first === undefined) continue;
    if (keyword === 'nameserver') result.nameservers.push(first);
    else if (keyword === 'search') result.search = values;
    else if (keyword === 'domain') result.search = [first];
    else if (keyword === 'options') result.options.push(...values);
  }
  return result;
}

/** 127.0.0.0/8, ::1, 0.0.0.0 and ::, which a resolver takes for the loopback too. */
export const isLoopback = (address: string): boolean =>
  /^(127\.|0\.0\.0\.0$|::1?(%|$)|::ffff:127\.)/i.test(address);

/**
 * @param host text of the host's /etc/resolv.conf
 * @param forwarders the driver's nameservers; undefined = the container uses those of the host as they are, [] = it has none
 * @param searchDomain the driver's: then its nameservers know all, those of `request` too
 * @returns the text of the container's
 */
export function containerResolvConf(
  host: string,
  forwarders: readonly string[] | undefined,
  request: DnsRequest,
  searchDomain?: string,
): string {
  const { nameservers, search, options } = parseResolvConf(host);
  const inherited =
    forwarders === undefined
      ? nameservers
      : forwarders.length === 0
        ? []
        : [...forwarders, ...nameservers.filter((address) => !isLoopback(address) && !address.includes('%'))];
  const wanted = request.dns.length > 0 ? request.dns : inherited;
  const servers = [...new Set(searchDomain === undefined ? wanted : (forwarders ?? []))];
  // `--dns-search .` means no search list, as in docker.
  const asked = request.dnsSearch.length > 0 ? request.dnsSearch : search;
  const own = searchDomain === undefined || asked.includes('.') ? [] : [searchDomain];
  const domains = [...own, ...asked.filter((domain) => domain !== '.')];
  const chosen = request.dnsOption.length > 0 ? request.dnsOption : options;
  return [
    ...(domains.length > 0 ? [`search ${domains.join(' ')}`] : []),
    ...servers.slice(0, MAX_NAMESERVERS).map((server) => `nameserver ${server}`),
    ...(chosen.length > 0 ? [`options ${chosen.join(' ')}`] : []),
  ]
    .map((line) => `${line}\n`)
    .join('');
}
