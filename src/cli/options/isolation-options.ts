/** Files, network and rights of a container. */
import { parseMac } from '../../network/parse-network.ts';
import { parsePublish } from '../../network/parse-publish.ts';
import { parseIdMapping, parseUserns } from '../../rootless/nested-map.ts';
import { parseDevice, parseExpose, parseSysctl } from '../parse/isolation.ts';
import { parseMount } from '../parse/mount.ts';
import { parseNamespaceMode } from '../parse/namespace-mode.ts';
import {
  address,
  addresses,
  checkAddHost,
  checkNetwork,
  networkAlias,
  parseCapabilities,
} from '../parse/scalars.ts';
import { parseSize } from '../parse/size.ts';
import { parseTmpfs, parseVolume } from '../parse/volume.ts';
import { nonEmpty, oneOf } from '../parse/words-of-choice.ts';
import { asWritten, flag, list, value } from './option.ts';

export const FILE_OPTIONS = {
  mount: list(
    'KEY=VALUE,…',
    'The long form of --volume and --tmpfs',
    (text) => parseMount(text, process.cwd()),
    {
      example: '--mount type=bind,src=./page,dst=/var/www,ro',
    },
  ),
  device: list(
    'DEVICE[:PLACE]',
    'Give the container a device of this machine; what you may not open yourself it may not either',
    parseDevice,
    { example: '--device /dev/fuse' },
  ),
  'image-volume': value(
    'KIND',
    'What becomes of places where the image wants a volume: anonymous (also called bind), tmpfs or ignore',
    oneOf('--image-volume', ['anonymous', 'bind', 'tmpfs', 'ignore'] as const),
    { default: 'anonymous' },
  ),
  'read-only-tmpfs': flag('With --read-only, keep /tmp, /run and /var/tmp writable', { default: true }),
  'read-only': flag('Make the root file system read-only; /tmp, /run and /var/tmp stay writable, in memory'),
  'shm-size': value('SIZE', 'Size of /dev/shm', (text) => parseSize(text, '--shm-size'), { default: '64m' }),
  'storage-driver': value(
    'DRIVER',
    'How the root file system is made: overlay, fuse-overlayfs or copy',
    oneOf('--storage-driver', ['overlay', 'fuse-overlayfs', 'copy']),
    { default: 'the first of these that works' },
  ),
  tmpfs: list('PLACE[:OPTIONS]', 'Mount an empty file system in memory', parseTmpfs, {
    example: '--tmpfs /tmp:size=64m,mode=1777',
  }),
  volume: list(
    '[SOURCE:]PLACE[:OPTIONS]',
    'Mount a path of the host (/… or ./…), or a volume by its name, in the container',
    (text) => parseVolume(text, process.cwd()),
    { short: 'v', example: '-v ./page:/var/www:ro' },
  ),
  'volumes-from': list(
    'CONTAINER[:OPTIONS]',
    'Mount what another container has mounted, at the same places; options are ro and rw',
    nonEmpty('--volumes-from'),
    { example: '--volumes-from web:ro' },
  ),
};

export const NETWORK_OPTIONS = {
  'add-host': list(
    'NAME:ADDRESS',
    'Add a line to /etc/hosts; host-gateway is the address of this machine',
    checkAddHost,
  ),
  dns: list(
    'ADDRESS',
    "A name server of the container; none leaves the image's own /etc/resolv.conf",
    (text) => (text === 'none' ? [text] : addresses('--dns')(text)),
  ),
  expose: list('PORT[/PROTOCOL]', 'A port for --publish-all, as if the image exposed it', parseExpose, {
    example: '--expose 8080',
  }),
  'dns-option': list('OPTION', 'An option for resolv.conf(5)', nonEmpty('--dns-option'), {
    aliases: ['dns-opt'],
  }),
  'dns-search': list('DOMAIN', 'A search domain', (text) => nonEmpty('--dns-search')(text).split(',')),
  ip: value('ADDRESS', 'Its IPv4 address on its bridge network', address('--ip', 4)),
  ip6: value('ADDRESS', 'Its IPv6 address on its bridge network', address('--ip6', 6)),
  'mac-address': value('ADDRESS', 'The MAC address of its interface on the bridge', parseMac),
  network: list(
    'MODE',
    'bridge (the default), a NETWORK that was made, private, none, host, pasta, slirp4netns, container:NAME or ns:PATH; several NETWORKs, each with its :ip=,mac=,alias=,interface_name=',
    checkNetwork,
    { aliases: ['net'], example: '--network back --network front:alias=web' },
  ),
  'network-alias': list('NAME', 'Another name of it on its bridge networks', networkAlias, {
    aliases: ['net-alias'],
  }),
  'no-hostname': flag("Leave the image's own /etc/hostname"),
  'no-hosts': flag("Leave the image's own /etc/hosts"),
  publish: list(
    '[IP:][HOST:]CONTAINER[/PROTOCOL]',
    'Publish a port of the container on the host',
    parsePublish,
    {
      short: 'p',
      example: '-p 127.0.0.1:8080:80',
    },
  ),
  'publish-all': flag('Publish all ports that the image exposes, on chosen ones of the host', { short: 'P' }),
};

export const RIGHTS_OPTIONS = {
  'cap-add': list('CAPABILITY', 'Add a capability, or ALL', parseCapabilities('add'), {
    example: '--cap-add NET_RAW',
  }),
  'cap-drop': list('CAPABILITY', 'Drop a capability, or ALL', parseCapabilities('drop')),
  'security-opt': list(
    'OPTION',
    'no-new-privileges, seccomp=unconfined, seccomp=FILE, mask=PATH:…, unmask=ALL or unmask=PATH:…',
    asWritten,
  ),
  cgroupns: value(
    'MODE',
    'private; host: the container sees all of the cgroup tree; container:NAME or ns:PATH',
    parseNamespaceMode('--cgroupns'),
    { default: 'private' },
  ),
  gidmap: list('ID:OUTSIDE:SIZE', 'As --uidmap, for groups', parseIdMapping('--gidmap')),
  ipc: value(
    'MODE',
    'shareable, or private: message queues and shared memory of its own; none: and no /dev/shm; host: those of this machine; container:NAME or ns:PATH',
    parseNamespaceMode('--ipc', ['shareable', 'private', 'none']),
    { default: 'shareable' },
  ),
  sysctl: list('NAME=VALUE', "A kernel parameter of the container's own namespaces", parseSysctl, {
    example: '--sysctl net.ipv4.ip_default_ttl=32',
  }),
  uidmap: list(
    'ID:OUTSIDE:SIZE',
    'A user namespace of its own; OUTSIDE is 0 for you, 1 and up for your subordinate ids',
    parseIdMapping('--uidmap'),
    { example: '--uidmap 0:1:1000' },
  ),
  userns: value(
    'MODE',
    'host: root in the container is you; keep-id[:uid=N,gid=N,size=N]: you have your own ids there, or these; nomap: nobody there is you; auto[:size=N]: nor anybody of another container',
    parseUserns,
    { default: 'host', example: '--userns keep-id' },
  ),
  pid: value(
    'MODE',
    "private; host: the container sees this machine's processes, and may end yours; container:NAME or ns:PATH",
    parseNamespaceMode('--pid'),
    { default: 'private', example: '--pid container:web' },
  ),
  uts: value(
    'MODE',
    "private; host: use this machine's host name; container:NAME or ns:PATH",
    parseNamespaceMode('--uts'),
    { default: 'private' },
  ),
};
