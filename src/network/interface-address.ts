/** The IPv4 address of one interface: an ioctl, where node:os asks for all addresses of all interfaces, and has to be loaded first, which takes a millisecond. */
import { call, close } from '../sys/calls.ts';
import { AF_INET, SIOCGIFADDR, SOCK_CLOEXEC, SOCK_DGRAM } from '../sys/constants.ts';
import { ifreq } from '../sys/ifreq.ts';
import { nativeRunner } from '../sys/run.ts';
import { Slots } from '../sys/step.ts';
import type { IpAddress } from './ip-address.ts';

/** The first one (netdevice(7)); undefined when it has none, or is not there. */
export function interfaceAddress(name: string): IpAddress | undefined {
  const slots = new Slots();
  const [socket, address] = [slots.new('socket'), slots.new('address')];
  const why = `which address ${name} has`;
  // ifr_addr is a struct sockaddr_in (ip(7)): family, port, address.
  const found = ifreq(name, [{ bytes: new Uint8Array(4) }, { width: 4, into: address }], 8);
  const results = nativeRunner.run({
    slots,
    steps: [
      call('user', why, 'socket', [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0], { result: socket }),
      call('user', why, 'ioctl', [socket, SIOCGIFADDR, found], { tolerate: ['EADDRNOTAVAIL', 'ENODEV'] }),
      close('user', 'known', socket),
    ],
  });
  const value = results(address); // in the network's byte order, which is not the machine's
  return value === 0 ? undefined : [0, 8, 16, 24].map((shift) => (value >>> shift) & 255).join('.');
}
