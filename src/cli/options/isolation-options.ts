/** Files, network and rights of a container. */
import { parsePublish } from '../../network/parse-publish.ts';
import { parseMount } from '../parse/mount.ts';
import { addresses, checkAddHost, checkNetwork, parseCapabilities } from '../parse/scalars.ts';
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
  dns: list('ADDRESS', 'A name server of the container', addresses('--dns')),
  'dns-option': list('OPTION', 'An option for resolv.conf(5)', nonEmpty('--dns-option'), {
    aliases: ['dns-opt'],
  }),
  'dns-search': list('DOMAIN', 'A search domain', (text) => text.split(',')),
  network: value('MODE', 'none, host, private, pasta, slirp4netns, container:NAME or ns:PATH', checkNetwork, {
    aliases: ['net'],
    default: 'private',
  }),
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
    'no-new-privileges, seccomp=unconfined, seccomp=FILE or unmask=ALL',
    asWritten,
  ),
  userns: value('MODE', 'host: root in the container is you', oneOf('--userns', ['host']), {
    default: 'host',
  }),
};
