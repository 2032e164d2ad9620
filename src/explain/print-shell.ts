/**
 * A plan as a bash script: `tsrun explain --format sh run …`. It builds an equivalent container with the commands of util-linux, shadow and
 * iproute2, and needs nothing of tsrun but the unpacked layers.
 *
 *     script                    unmapped → rootless → set_up              container (pid 1)         change_root
 *       | outside() &             |                                         |                         |
 *       |    <- pid ------------- | unshare --user                          |                         |
 *       |    newuidmap, newgidmap |                                         |                         |
 *       |    -- ok -------------> | exec: root of the namespace             |                         |
 *       |                         | unshare --mount, a second view of / --------------------------> | chroot into it
 *       |                         | unshare --pid … ----------------------> | mounts, setpriv         |
 *       |    <- pid ------------------------------------------------------- | ready                   |
 *       |    network                                                        |                         |
 *       |    -- ok -------------------------------------------------------------------------------> | pivot_root,
 *       |                                                                   |                         | umount old root
 *       |                                                                   | <-- ok ---------------- |
 *       |                                                                   | exec the command        |
 *
 * The trouble that tsrun's own programs do not have: pivot_root(2) takes /usr/bin away from every shell of the mount namespace, so
 * nobody is left who could unmount the old root and drop capabilities. Hence change_root(), a shell that stands in a second view of the
 * host's tree (a recursive bind mount, which the old root takes along when it is unmounted), and hence dropping rights before the
 * pivot.
 */

import { limitFiles } from '../launch/cgroup/limit-files.ts';
import { mapArguments, mapLines } from '../rootless/id-map.ts';
import { namespacesOf, type Plan } from './plan.ts';
import { commandSteps } from './shell/command.ts';
import { generatedFile, mountSteps, pathSteps, REMOUNT, rootSteps } from './shell/mounts.ts';
import { networkSteps } from './shell/network.ts';
import { comment, quote, shellFunction, words } from './shell/quote.ts';

/** The script, ending in a newline. */
export function printShell(plan: Plan): string {
  const parts = [
    header(plan),
    preparation(plan),
    shellFunction(
      'outside',
      'On the host’s side, as the user: the id maps, and the container’s network.',
      outside(plan),
    ),
    ...(joinedProcess(plan) === undefined
      ? [
          shellFunction(
            'unmapped',
            'In a new user namespace, where nobody is anybody until the maps are written.',
            UNMAPPED,
          ),
        ]
      : []),
    shellFunction('rootless', 'As root of that namespace.', ROOTLESS),
    shellFunction('set_up', 'In a mount namespace, where the container’s root will be made.', setUp(plan)),
    shellFunction('remount', 'remount PATH FLAGS: adds flags to a bind mount.', REMOUNT),
    shellFunction('container', 'Process 1 of the container, before it has its root.', container(plan)),
    shellFunction(
      'change_root',
      'In a second view of the host’s tree, which stays when the first is gone.',
      CHANGE_ROOT,
    ),
    main(plan),
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function header({ commandLine, image, config }: Plan): string[] {
  const limits = limitFiles(config.linux.resources ?? {}, 2).map(({ name, value }) => `${name} ${value}`);
  return [
    '#!/bin/bash',
    ...comment('The same container as'),
    ...comment(`    ${words(commandLine)}`),
    ...comment(`by hand, from ${image.reference} (${image.digest}), as an ordinary user.`),
    ...comment('Run it with bash: tsrun explain --format sh run … >container.sh; bash container.sh'),
    '#',
    ...comment(
      'Left out, as no command of util-linux does it: the seccomp filter; a terminal of the container’s own (it uses',
    ),
    ...comment(
      'yours); dying with a supervisor. And paths are taken as they are written: tsrun has the kernel resolve them inside',
    ),
    ...comment(
      'the root (openat2, RESOLVE_IN_ROOT), so that no symbolic link of the image can lead a mount outside.',
    ),
    ...(limits.length === 0
      ? []
      : [
          '#',
          ...comment(
            'Nor does it limit anything, which takes a cgroup that you may write to. The files there:',
          ),
          ...limits.flatMap((line) => comment(`    ${line}`)),
        ]),
  ];
}

function preparation({ files }: Plan): string[] {
  const contents = Object.entries(files).flatMap(([destination, text]) => [
    `printf %s ${quote(text)} >${generatedFile(destination)}`,
  ]);
  return [
    'set -eu',
    'PATH=$PATH:/usr/sbin:/sbin',
    'dir=$(mktemp -d --tmpdir by-hand.XXXXXX)',
    'root=$dir/root',
    'export PATH dir root',
    'mkdir "$dir"/{upper,work,root,host,files}',
    'mkfifo "$dir"/{unmapped,mapped,ready,connected,moved}',
    ...contents,
  ];
}

/** Whatever fails out here is told to those who wait inside. */
function outside(plan: Plan): string[] {
  const { idMaps } = plan;
  const write = [
    'echo deny >"/proc/$pid/setgroups" # one id, and in return no group can be dropped',
    `echo ${quote(mapLines(idMaps.uids).trim())} >"/proc/$pid/uid_map"`,
    `echo ${quote(mapLines(idMaps.gids).trim())} >"/proc/$pid/gid_map"`,
  ];
  const helpers = [
    `newuidmap "$pid" ${mapArguments(idMaps.uids).join(' ')}`,
    `newgidmap "$pid" ${mapArguments(idMaps.gids).join(' ')}`,
  ];
  const mapped = [
    'read -r pid <"$dir/unmapped"',
    ...(idMaps.single ? write : helpers),
    'echo ok >"$dir/mapped"',
    'waiting=connected',
  ];
  const isJoined = joinedProcess(plan) !== undefined;
  return [
    'local pid',
    `waiting=${isJoined ? 'connected' : 'mapped'}`,
    'trap \'[ -z "$waiting" ] || { exec 9<>"$dir/$waiting" && echo failed >&9; }\' EXIT',
    ...(isJoined ? [] : mapped),
    'read -r pid <"$dir/ready"',
    ...networkSteps(plan),
    'echo "$pid" >"$dir/connected"',
    'waiting=',
  ];
}

const UNMAPPED = [
  'local answer',
  'echo $$ >"$dir/unmapped"',
  'read -r answer <"$dir/mapped"',
  '[ "$answer" = ok ]',
  'exec bash -c rootless # execve(2) gives root of a namespace all its capabilities',
];

const ROOTLESS = [
  'local status=0',
  'unshare --mount --propagation slave bash -c set_up || status=$?',
  'rm -rf "$dir/upper" "$dir/work" # subordinate ids own files in them',
  'exit $status',
];

const UNSHARE_OPTIONS: Readonly<Record<string, string>> = {
  pid: '--pid --fork --kill-child',
  network: '--net',
  ipc: '--ipc',
  uts: '--uts',
  cgroup: '--cgroup',
  time: '--time',
};

/** Options of nsenter(1) that take a path. */
const ENTER_OPTIONS: Readonly<Record<string, string>> = {
  pid: '--pid',
  network: '--net',
  ipc: '--ipc',
  uts: '--uts',
  cgroup: '--cgroup',
  time: '--time',
};

const joinedOf = (plan: Plan) => namespacesOf(plan).filter(({ kind }) => kind === 'joined');

/** A process that has the namespaces which are joined. Only root of the user namespace that they were made in may do that: its own. */
const joinedProcess = (plan: Plan): string | undefined =>
  joinedOf(plan)
    .map(({ why }) => /^\/proc\/(\d+)\/ns\//.exec(why)?.[1])
    .find((pid) => pid !== undefined);

function setUp(plan: Plan): string[] {
  const namespaces = namespacesOf(plan);
  const options = namespaces.flatMap(({ type, kind }) =>
    kind === 'new' ? (UNSHARE_OPTIONS[type] ?? []) : [],
  );
  const entered = joinedOf(plan).flatMap(({ type, why }) => {
    const option = ENTER_OPTIONS[type];
    return option === undefined ? [] : [`${option}=${quote(why)}`];
  });
  const enter = entered.length > 0 ? ['nsenter', ...entered] : [];
  return [
    'local helper status=0',
    'mount --make-rprivate /',
    'mount --rbind / "$dir/host"',
    'chroot "$dir/host" bash -c change_root &',
    'helper=$!',
    `${[...enter, 'unshare', ...options].join(' ')} bash -c container || status=$?`,
    'kill "$helper" 2>/dev/null || : # from here on there are only the shell’s own commands',
    'exit $status',
  ];
}

function container(plan: Plan): string[] {
  const { config } = plan;
  const isNew = (wanted: string): boolean =>
    namespacesOf(plan).some(({ type, kind }) => type === wanted && kind === 'new');
  const sysctls = Object.entries(config.linux.sysctl ?? {}).map(
    ([key, value]) => `echo ${quote(value)} >"$root"/proc/sys/${quote(key.replaceAll('.', '/'))}`,
  );
  return [
    'local pid',
    'read -r pid _ </proc/self/stat # /proc is still the host’s: so the host sees us',
    ...(isNew('uts') && config.hostname !== undefined ? [`hostname ${quote(config.hostname)}`] : []),
    ...(isNew('network') ? ['ip link set lo up'] : []),
    ...rootSteps(plan),
    ...mountSteps(plan),
    ...sysctls,
    ...pathSteps(plan),
    `mkdir -p "$root"${quote(config.process.cwd)}`,
    ...(config.root.readonly ? ['remount "$root" ro'] : []),
    ...commandSteps(plan),
  ];
}

/** The old root is put on the container's /proc for the moment, where it needs no directory of its own. */
const CHANGE_ROOT = [
  'local answer pid',
  'read -r pid <"$dir/connected"',
  'answer=failed',
  'if [ "$pid" != failed ] && chroot "/proc/$pid/root" pivot_root "$root" "$root/proc" &&',
  '  umount --no-canonicalize --lazy "/proc/$pid/root/proc"; then answer=ok; fi',
  'echo "$answer" >"$dir/moved"',
];

const main = (plan: Plan): string[] => {
  const process = joinedProcess(plan);
  return [
    `export -f ${process === undefined ? 'unmapped ' : ''}rootless set_up remount container change_root`,
    'clean_up() {',
    '  kill "$helper" 2>/dev/null || :',
    '  wait "$helper" || :',
    '  if [ -s "$dir/network.pid" ]; then xargs kill <"$dir/network.pid" 2>/dev/null || :; fi',
    '  rm -rf "$dir"',
    '}',
    'outside &',
    'helper=$!',
    'trap clean_up EXIT',
    'status=0',
    process === undefined
      ? 'unshare --user bash -c unmapped || status=$?'
      : `nsenter --user=/proc/${process}/ns/user bash -c rootless || status=$? # whose namespaces are joined`,
    'exit $status',
  ];
};
