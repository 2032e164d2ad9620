/**
 * The default bridge between networks that the test makes: a host with a stub resolver on 127.0.0.53 (as systemd-resolved's), another machine
 * that is reached by a cable, and a second DNS server there (AC-3.1, AC-3.4, AC-3.5; NET-2, NET-10).
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NO_SUBIDS, onPoorerMachine } from '../support/poorer-machine.ts';
import { useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
const STUB = join(import.meta.dirname, '..', 'support', 'network', 'dns-stub.ts');
const HOST = '192.0.2.1';
const REMOTE = '192.0.2.2';
const HOST6 = 'fd00:1::1';
const REMOTE6 = 'fd00:1::2';

/** $R is a process on the other machine. No test begins before both stubs listen, by UDP and TCP. */
const NETWORK = `
ip link set lo up
unshare --net sleep 600 & R=$!
export R
until [ "$(readlink /proc/$R/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link add cable type veth peer name cable netns $R
ip address add ${HOST}/24 dev cable; ip link set cable up
ip address add ${HOST6}/64 dev cable nodad
ip route add default via ${REMOTE}
on_remote() { nsenter --net=/proc/$R/ns/net "$@"; }
on_remote ip link set lo up
on_remote ip address add ${REMOTE}/24 dev cable; on_remote ip link set cable up
on_remote ip address add ${REMOTE6}/64 dev cable nodad
${process.execPath} ${STUB} 127.0.0.53 private.corp.example 203.0.113.7 &
on_remote ${process.execPath} ${STUB} :: other.corp.example 203.0.113.8 &
wait_for_dns() {
  n=0
  until "$@" ss -Hltn 'sport = :53' | grep -q . && "$@" ss -Hlun 'sport = :53' | grep -q .; do
    n=$((n+1)); [ $n -lt 600 ] || { echo no DNS server listens >&2; exit 1; }; sleep 0.1
  done
}
wait_for_dns; wait_for_dns on_remote
busybox httpd -p ${HOST}:8080 -h /etc
busybox httpd -p 127.0.0.1:8081 -h /etc
busybox httpd -p '[::1]:8081' -h /etc
on_remote busybox httpd -p ${REMOTE}:8082 -h /etc
on_remote busybox httpd -p '[${REMOTE6}]:8082' -h /etc
`;
const RESOLV_CONF = 'nameserver 127.0.0.53\nsearch corp.example\noptions timeout:3';

const onMachine = async (script: string, network = NETWORK): Promise<string> => {
  // Here only the user himself is mapped: newuidmap could not give more.
  const lack = { hidden: NO_SUBIDS, replaced: { '/etc/resolv.conf': RESOLV_CONF }, network };
  const { status, stdout, stderr } = await onPoorerMachine(tsrun, lack, script);
  expect(status, stdout + stderr).toBe(0);
  return stdout;
};

describe('names', () => {
  it('are asked of the host’s stub on its loopback: private ones, by search domain, and long answers by TCP', async () => {
    const query = String.raw`\0\053\22\64\1\0\0\1\0\0\0\0\0\0\4long\7private\4corp\7example\0\0\1\0\1`;
    const said = await onMachine(`
      $T run -d --name keep ${IMAGE} sleep 600 >/dev/null
      $T exec keep nslookup private.corp.example
      $T exec keep nslookup private
      $T exec keep nslookup nothing.corp.example || echo no such name
      $T exec keep sh -c "printf '${query}' | nc -w 5 $($T inspect -f '{{.NetworkSettings.Gateway}}' keep) 53 | od -An -tu1 | tail -n 2"
      $T exec keep cat /etc/resolv.conf
      $T rm -f keep >/dev/null`);
    expect(said.match(/Address: 203\.0\.113\.7/g)?.length).toBeGreaterThanOrEqual(2);
    expect(said).toContain('no such name');
    expect(said.replaceAll(/\s+/g, ' ')).toContain('203 0 113 4');
    expect(said).toMatch(/^search dns\.tsrun corp\.example$/m);
    expect(said).toMatch(/^options timeout:3$/m);
  });

  it('are asked of --dns, with --dns-search and --dns-option; a network’s own servers count too', async () => {
    const said = await onMachine(`
      $T run --rm --dns ${REMOTE} --dns-search corp.example --dns-option ndots:2 ${IMAGE} sh -c 'nslookup other; cat /etc/resolv.conf'
      $T run --rm --dns ${REMOTE} ${IMAGE} nslookup private.corp.example || echo not there
      $T network create --dns ${REMOTE} corp >/dev/null
      $T run --rm --network corp ${IMAGE} nslookup other.corp.example
      $T network rm corp >/dev/null`);
    expect(said.match(/Address: 203\.0\.113\.8/g)?.length).toBeGreaterThanOrEqual(2);
    expect(said).toMatch(/^search dns\.tsrun corp\.example\nnameserver 10\.9.*\noptions ndots:2$/m);
    expect(said).toContain('not there');
  });
});

describe('the way out and in', () => {
  it('leads to the host by its names, to another machine, and not to the host’s loopback', async () => {
    const get = (to: string) =>
      `printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${to} | grep -o '200 OK'`;
    const said = await onMachine(`
      $T run --rm ${IMAGE} sh -c "
        ${get('host.containers.internal 8080')}; ${get('host.docker.internal 8080')}; ${get(`${REMOTE} 8082`)}
        for a in 127.0.0.1 10.0.2.2 ${HOST} host.containers.internal \\$(ip route | grep -o 'via [0-9.]*' | cut -d' ' -f2); do
          nc -w 2 \\$a 8081 </dev/null && echo reached \\$a
        done; true"`);
    expect(said).toBe('200 OK\n'.repeat(3));
  });

  it('leads there by IPv6, too: connections and datagrams, and what is not reached is told at once; no other network’s containers', async () => {
    const get = (to: string) =>
      `printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' | nc -w 5 ${to} | grep -o '200 OK'`;
    const said = await onMachine(`
      $T network create --ipv6 other >/dev/null
      $T run -d --name peer --network other ${IMAGE} httpd -f -p 80 -h /etc >/dev/null
      peer=$($T inspect -f '{{(index .NetworkSettings.Networks "other").GlobalIPv6Address}}' peer)
      $T run --rm ${IMAGE} sh -c "
        ${get(`${REMOTE6} 8082`)}
        for to in '${REMOTE6} 9' '2001:db8::1 80' '::ffff:127.0.0.1 8081' '::1 8081' '${HOST6} 8081' \\"$peer 80\\"; do
          nc -w 20 \\$to </dev/null 2>&1
        done
        nslookup -timeout=20 -retry=1 other.corp.example ${REMOTE6} 2>&1
        for to in ${HOST6} ::ffff:127.0.0.1; do (nslookup -timeout=20 -retry=1 name \\$to 2>&1 &) | grep -m 1 refused; done"
      $T rm -f peer >/dev/null; $T network rm other >/dev/null`);
    const lines = (...said: string[]) =>
      said.map((one) => `nc: can't connect to remote host: ${one}\n`).join('');
    expect(said.split('Server:')[0]).toBe(
      `200 OK\n${lines('Connection refused', 'No route to host', 'Connection refused', 'Connection refused', 'Connection refused', 'Network is unreachable')}`,
    );
    expect(said).toContain('Address: 203.0.113.8\n');
    expect(said.match(/^nslookup: (read|write to '.*'): Connection refused$/gm)).toHaveLength(2);
  });

  it('a client on another machine is seen with its own address', async () => {
    // The script has no rights in the other network any more: a client waits there for the port to open.
    const network = `${NETWORK}
(set +e; until on_remote busybox wget -q -O /dev/null http://${HOST}:8090/hostname; do sleep 0.1; done) &`;
    const said = await onMachine(
      `$T run -d --name web -p 8090:80 ${IMAGE} httpd -f -vv -p 80 -h /etc >/dev/null
       n=0; until $T logs web 2>&1 | grep response:200 || [ $n = 400 ]; do n=$((n+1)); sleep 0.1; done
       $T rm -f web >/dev/null`,
      network,
    );
    expect(said).toContain(`${REMOTE}]`);
    expect(said).toContain('response:200');
  });
});
