import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PortMapping } from '../../../src/network/driver.ts';
import { parsePublish, publishExposed, withoutRepeats } from '../../../src/network/parse-publish.ts';

const one = (text: string): PortMapping => {
  const ports = parsePublish(text);
  expect(ports).toHaveLength(1);
  return ports[0] as PortMapping;
};

describe('parsePublish', () => {
  it.each<[string, Partial<PortMapping>]>([
    ['80', { hostIp: '', hostPort: 0, containerPort: 80, protocol: 'tcp' }],
    ['80/udp', { hostIp: '', hostPort: 0, containerPort: 80, protocol: 'udp' }],
    ['8080:80', { hostIp: '', hostPort: 8080, containerPort: 80 }],
    [':80', { hostIp: '', hostPort: 0, containerPort: 80 }],
    ['127.0.0.1:8080:80/TCP', { hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
    ['127.0.0.1::80', { hostIp: '127.0.0.1', hostPort: 0, containerPort: 80 }],
    ['[::1]:8080:80', { hostIp: '::1', hostPort: 8080, containerPort: 80 }],
    ['[::]::80', { hostIp: '::', hostPort: 0, containerPort: 80 }],
    ['0:80', { hostIp: '', hostPort: 0, containerPort: 80 }],
    ['8000-8005:80', { hostPort: 8000, lastHostPort: 8005, containerPort: 80 }],
    ['0.0.0.0:1:65535', { hostIp: '0.0.0.0', hostPort: 1, containerPort: 65535 }],
  ])('%s', (text, expected) => {
    expect(one(text)).toMatchObject(expected);
  });

  it('expands ranges pairwise', () => {
    expect(parsePublish('8000-8002:80-82').map((p) => [p.hostPort, p.containerPort])).toEqual([
      [8000, 80],
      [8001, 81],
      [8002, 82],
    ]);
    expect(parsePublish('80-82/udp').map((p) => [p.hostPort, p.containerPort, p.protocol])).toEqual([
      [0, 80, 'udp'],
      [0, 81, 'udp'],
      [0, 82, 'udp'],
    ]);
  });

  it.each([
    ['::1:8080:80', '-p [::1]:8080:80'],
    ['fd00::7::80/udp', '-p [fd00::7]::80/udp'],
    ['localhost:8080:80', '-p 127.0.0.1:8080:80'],
    ['localhost::80', '-p 127.0.0.1::80'],
  ])('of %s the line that works is said', (text, hint) => {
    expect(() => parsePublish(text)).toThrow(expect.objectContaining({ hint }));
  });

  it.each([
    ['', 'not of the form'],
    ['http', 'not of the form'],
    ['8080:80:80', '"8080" is no IP address'],
    ['::1:8080:80', 'not of the form'],
    ['[127.0.0.1]:8080:80', '"127.0.0.1" is no IP address'],
    ['[fe80::1%eth0]:8080:80', 'is no IP address'],
    ['1.2.3.256:8080:80', 'is no IP address'],
    ['localhost:8080:80', '"localhost" is no IP address'],
    ['0', 'between 1 and 65535'],
    ['65536', 'between 1 and 65535'],
    ['8080:99999', 'between 1 and 65535'],
    ['82-80', 'backwards'],
    ['8000-8001:80-83', 'not of the same length'],
    ['8000-8005:80-81', 'not of the same length'],
    ['0-5:80', 'between 1 and 65535'],
    ['80-', 'is no container port'],
    ['80/sctp', 'sctp'],
    ['80/icmp', 'is no protocol'],
    ['8080:80 ', 'not of the form'],
  ])('refuses %j', (text, problem) => {
    expect(() => parsePublish(text)).toThrow(problem);
    expect(() => parsePublish(text)).toThrow(`-p ${text}: `);
  });

  const port = fc.integer({ min: 1, max: 65535 });
  const ip = fc.oneof(
    fc.constant(''),
    fc.ipV4().map((text) => ({ text: `${text}:`, ip: text })),
    fc.ipV6().map((text) => ({ text: `[${text}]:`, ip: text })),
  );

  it('reads back whatever is written by the grammar', () => {
    fc.assert(
      fc.property(
        ip,
        fc.option(port),
        port,
        fc.constantFrom('', '/tcp', '/udp'),
        (address, host, container, protocol) => {
          const before = address === '' ? '' : address.text;
          const middle = host === null ? (before === '' ? '' : ':') : `${host}:`;
          expect(one(`${before}${middle}${container}${protocol}`)).toEqual({
            hostIp: address === '' ? '' : address.ip,
            hostPort: host ?? 0,
            containerPort: container,
            protocol: protocol === '/udp' ? 'udp' : 'tcp',
          });
        },
      ),
    );
  });

  it('never returns a port out of range, whatever it is given', () => {
    const characters = fc.constantFrom(...'0123456789:-/[].tcpud'.split(''));
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 24 }), (text) => {
        let ports: PortMapping[] = [];
        try {
          ports = parsePublish(text);
        } catch (error) {
          expect(error).toHaveProperty('code', 'ERR_TSRUN_USAGE');
          return;
        }
        expect(ports.length).toBeGreaterThan(0);
        for (const { hostPort, containerPort } of ports) {
          expect(hostPort >= 0 && hostPort <= 65535 && containerPort >= 1 && containerPort <= 65535).toBe(
            true,
          );
        }
      }),
    );
  });
});

describe('publishExposed', () => {
  it('chooses a port for what is exposed and not yet published', () => {
    const published = parsePublish('8080:80');
    expect(publishExposed(['80/tcp', '443', '53/udp', '80/udp', '9/sctp', 'x'], published)).toEqual([
      { hostIp: '', hostPort: 0, containerPort: 443, protocol: 'tcp' },
      { hostIp: '', hostPort: 0, containerPort: 53, protocol: 'udp' },
      { hostIp: '', hostPort: 0, containerPort: 80, protocol: 'udp' },
    ]);
  });
});

describe('withoutRepeats', () => {
  // As with podman: the second was refused, as the first one's port was in use by nobody that could be named.
  it('publishes once what was said twice, and each port that is to be chosen', () => {
    const said = [
      '8080:80',
      '8080:80',
      '8079-8081:79-81',
      '8080:80/udp',
      '127.0.0.1:8080:80',
      '80',
      '80',
      '8000-8005:80',
      '8000-8005:80',
    ];
    const ports = withoutRepeats(said.flatMap(parsePublish));
    expect(ports.map(({ hostIp, hostPort, protocol }) => `${hostIp}:${hostPort}/${protocol}`)).toEqual([
      ':8080/tcp',
      ':8079/tcp',
      ':8081/tcp',
      ':8080/udp',
      '127.0.0.1:8080/tcp',
      ':0/tcp',
      ':0/tcp',
      ':8000/tcp',
      ':8000/tcp',
    ]);
  });
});
