/**
 * `apache`: a test image with Debian's Apache, in the layers such an image has: the system, the libraries, the server, its
 * configuration, the page. Workers run as www-data; the logs are the container's output.
 */
import { readFileSync } from 'node:fs';
import {
  entriesOf,
  librariesOf,
  packageFiles,
  rootLinks,
  withDependencies,
  withParents,
} from './debian-packages.ts';
import type { Layer, Recipe } from './oci-layout.ts';
import { directory, type Entry, file, symlink } from './tar-archive.ts';

/** The shell and tools that one finds in every such image; with the dynamic linker and the C library that they need. */
const SYSTEM = ['base-files', 'coreutils', 'dash', 'libc6', 'libc-bin'];
const SERVER = ['apache2', 'apache2-bin', 'apache2-data', 'media-types'];

const WWW_DATA = { uid: 33, gid: 33 };
const ADM = 4;

/** What `apache2`'s own installation enables. */
const MODULES = [
  'access_compat alias auth_basic authn_core authn_file authz_core authz_host authz_user autoindex deflate dir env filter mime',
  'mpm_event negotiation reqtimeout setenvif status',
].flatMap((line) => line.split(' '));
const CONFIGURATIONS = [
  'charset',
  'localized-error-pages',
  'other-vhosts-access-log',
  'security',
  'serve-cgi-bin',
];

const PAGE = '<html><body><h1>It works!</h1></body></html>\n';

/** /etc/apache2/envvars, without the shell that reads it. */
const ENV = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'APACHE_RUN_USER=www-data',
  'APACHE_RUN_GROUP=www-data',
  'APACHE_PID_FILE=/var/run/apache2/apache2.pid',
  'APACHE_RUN_DIR=/var/run/apache2',
  'APACHE_LOCK_DIR=/var/lock/apache2',
  'APACHE_LOG_DIR=/var/log/apache2',
  'LANG=C',
];

const isDocumentation = (path: string): boolean =>
  /^usr\/share\/(doc|man|info|lintian|locale|bug)(\/|$)/.test(path);

/** Paths that a lower layer has are not repeated. */
function newPaths(paths: readonly string[], seen: Set<string>): string[] {
  const fresh = withParents(paths).filter((path) => !seen.has(path) && !isDocumentation(path));
  for (const path of fresh) seen.add(path);
  return fresh;
}

function systemExtras(): Entry[] {
  return [
    file('etc/passwd', readFileSync('/usr/share/base-passwd/passwd.master')),
    file('etc/group', readFileSync('/usr/share/base-passwd/group.master')),
    file('etc/shadow', 'root:*:20089:0:99999:7:::\nwww-data:*:20089:0:99999:7:::\n', {
      mode: 0o640,
      gid: 42,
    }),
    symlink('var/run', '/run'),
    symlink('var/lock', '/run/lock'),
    directory('run/lock', { mode: 0o1777 }),
  ];
}

/** `mods-enabled/x.load` and `.conf` where the package has one. */
function enabledModules(available: ReadonlySet<string>): Entry[] {
  return MODULES.flatMap((name) => [`${name}.load`, `${name}.conf`])
    .filter((name) => available.has(`etc/apache2/mods-available/${name}`))
    .map((name) => symlink(`etc/apache2/mods-enabled/${name}`, `../mods-available/${name}`));
}

function configuration(available: ReadonlySet<string>): Layer {
  const enabled = CONFIGURATIONS.map((name) =>
    symlink(`etc/apache2/conf-enabled/${name}.conf`, `../conf-available/${name}.conf`),
  );
  const log = 'var/log/apache2';
  return {
    comment: 'apache2: enabled modules, logs to the output',
    entries: [
      ...['mods', 'conf', 'sites'].map((kind) => directory(`etc/apache2/${kind}-enabled`)),
      ...enabledModules(available),
      ...enabled,
      symlink('etc/apache2/sites-enabled/000-default.conf', '../sites-available/000-default.conf'),
      // Without it Apache says at each start that it cannot find its own name.
      file('etc/apache2/conf-enabled/server-name.conf', 'ServerName localhost\n'),
      directory(log, { mode: 0o750, gid: ADM }),
      symlink(`${log}/access.log`, '/dev/stdout'),
      symlink(`${log}/error.log`, '/dev/stderr'),
      symlink(`${log}/other_vhosts_access.log`, '/dev/stdout'),
      directory('run/apache2'),
      directory('run/lock/apache2', WWW_DATA),
    ],
  };
}

export function apache(): Recipe {
  const links = rootLinks();
  const seen = new Set([...links.map(({ path }) => path), 'run', 'var/run', 'var/lock']);
  const systemPaths = packageFiles(SYSTEM);
  const system = newPaths([...systemPaths, ...librariesOf(systemPaths)], seen);
  withDependencies(SERVER); // says what to install where they are missing
  const serverPaths = packageFiles(SERVER);
  const libraries = newPaths(librariesOf(serverPaths), seen);
  const server = newPaths(serverPaths, seen);
  return {
    name: 'apache',
    layers: [
      {
        comment: 'Debian: base files, libc, shell, coreutils',
        entries: [...links, directory('run'), ...entriesOf(system), ...systemExtras()],
      },
      { comment: 'libraries of apache2', entries: entriesOf(libraries) },
      { comment: 'Debian packages apache2, apache2-bin, apache2-data', entries: entriesOf(server) },
      configuration(new Set(serverPaths)),
      {
        comment: 'the page',
        entries: [directory('var/www'), directory('var/www/html'), file('var/www/html/index.html', PAGE)],
      },
    ],
    config: {
      Env: ENV,
      Cmd: ['apache2', '-DFOREGROUND'],
      ExposedPorts: { '80/tcp': {} },
      WorkingDir: '/var/www/html',
      StopSignal: 'SIGWINCH',
    },
  };
}
