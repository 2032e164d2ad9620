/** A plan for a person: what it is made of, then every step with its reason. */

import type { IdMap } from '../rootless/id-map.ts';
import type { Actor } from '../sys/step.ts';
import { describeCall, SlotNames } from './describe-call.ts';
import { type NumberedStep, numberSteps } from './numbered-steps.ts';
import { namespacesOf, type Plan, type PlannedProgram, seccompSummary } from './plan.ts';
import { columns, type Paint, paint, printable, type Style, withShortDigests, wrapped } from './style.ts';

/** The whole plan, ending in a newline. */
export function printTable(plan: Plan, style: Style): string {
  const numbered = numberSteps(plan.programs.map(({ program }) => program));
  const sections: [string, string[]][] = [
    ['IMAGE', image(plan, style)],
    ['IDS', ids(plan, style)],
    [
      'NAMESPACES',
      columns(
        style,
        namespacesOf(plan).map(({ type, kind, why }) => [type, kind, why]),
      ),
    ],
    ['ROOT FILE SYSTEM', rootfs(plan, style)],
    ['MOUNTS', mounts(plan, style)],
    ['HIDDEN AND READ-ONLY PATHS', paths(plan, style)],
    ['NETWORK', network(plan, style)],
    ['PRIVILEGES', privileges(plan, style)],
    ['COMMAND', command(plan, style)],
  ];
  const parts = sections.map(([title, lines]) => [paint(style, 'bold', title), ...lines].join('\n'));
  const steps = plan.programs.map((program, i) => programSection(program, numbered[i] ?? [], style));
  return `${[paint(style, 'bold', printable(plan.commandLine.join(' '))), ...parts, ...steps].join('\n\n')}\n`;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** 12.3 MB, as docker says it (powers of ten). */
function humanSize(bytes: number): string {
  const power = Math.min(Math.max(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 0), BYTE_UNITS.length - 1);
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${BYTE_UNITS[power]}`;
}

function image({ image: { reference, digest, layers } }: Plan, style: Style): string[] {
  const rows = layers.map(({ digest: blob, size, path }, i) => [
    `layer ${i + 1}`,
    withShortDigests(blob),
    size === undefined ? '' : humanSize(size),
    withShortDigests(path),
  ]);
  const head = columns(style, [
    ['name', printable(reference)],
    ['digest', digest],
  ]);
  return [...head, ...columns(style, rows)];
}

const range = (first: number, size: number): string =>
  size === 1 ? `${first}` : `${first}–${first + size - 1}`;

function ids({ idMaps }: Plan, style: Style): string[] {
  const rows = (kind: string, map: IdMap): string[][] =>
    map.map(({ containerID, hostID, size }) => [
      kind,
      range(containerID, size),
      '→',
      range(hostID, size),
      size === 1 && containerID === 0 ? 'root of the container is this user' : `${size} subordinate ids`,
    ]);
  const head = ['', 'container', '', 'host', ''];
  const note = idMaps.single
    ? ['  There are no subordinate ids: every file belongs to root, no other user exists.']
    : [];
  return [...columns(style, [head, ...rows('uid', idMaps.uids), ...rows('gid', idMaps.gids)]), ...note];
}

function rootfs({ rootfs: { driver, why, paths: at }, config }: Plan, style: Style): string[] {
  return columns(style, [
    ['driver', `${driver}: ${why}`],
    ['layers', `${at.lowers.length}, read-only, shared with all containers of the image`],
    ['changes', withShortDigests(at.upper)],
    ['mounted at', withShortDigests(at.mountpoint) + (config.root.readonly ? ', read-only' : '')],
  ]);
}

function mounts({ config }: Plan, style: Style): string[] {
  const rows = config.mounts.map(({ destination, type = '', source = '', options = [] }) => [
    printable(destination),
    type,
    withShortDigests(printable(source)),
    options.filter((option) => option !== 'x-file').join(', '),
  ]);
  return columns(style, [['where', 'type', 'source', 'options'], ...rows]);
}

function paths({ config: { linux } }: Plan, style: Style): string[] {
  return columns(style, [
    ['hidden', linux.maskedPaths?.join(' ') || 'none'],
    ['read-only', linux.readonlyPaths?.join(' ') || 'none'],
  ]);
}

function network({ network: { driver, why, ports, leases = [] } }: Plan, style: Style): string[] {
  const bridges = leases.map(({ network: { name, ipv4, ipv6 }, ...lease }) => {
    const addresses = [
      ...(lease.ipv4 !== undefined && ipv4 ? [`${lease.ipv4}/${ipv4.prefix}`] : []),
      ...(lease.ipv6 !== undefined && ipv6 ? [`${lease.ipv6}/${ipv6.prefix}`] : []),
    ];
    const gateways = [ipv4?.gateway, ipv6?.gateway].filter((gateway) => gateway !== undefined);
    const names = `found there as ${lease.names.join(', ')}`;
    return [
      lease.interfaceName,
      `on ${name}: ${addresses.join(', ')}; gateway ${gateways.join(', ')}; ${names}`,
    ];
  });
  const published = ports.map(({ hostIp, hostPort, containerPort, protocol }) => {
    const address = hostIp.includes(':') ? `[${hostIp}]` : hostIp || '0.0.0.0';
    return ['port', `${address}:${hostPort || 'any free port'} → ${containerPort}/${protocol}`];
  });
  return columns(style, [['driver', `${driver}: ${why}`], ...bridges, ...published]);
}

function privileges(plan: Plan, style: Style): string[] {
  const { process } = plan.config;
  const { uid, gid, additionalGids = [] } = process.user;
  const sets = process.capabilities;
  const names = (list: readonly string[] | undefined): string =>
    list?.map((name) => name.replace('CAP_', '').toLowerCase()).join(' ') || 'none';
  const seccomp = seccompSummary(plan);
  return columns(style, [
    ['user', `${uid}:${gid}${additionalGids.length > 0 ? `, groups ${additionalGids.join(' ')}` : ''}`],
    ['capabilities', names(sets?.effective)],
    ['can be gained', names(sets?.bounding.filter((name) => !sets.effective.includes(name)))],
    ['inheritable, ambient', `${names(sets?.inheritable)}, ${names(sets?.ambient)}`],
    ['no_new_privs', process.noNewPrivileges ? 'on: no setuid program works' : 'off'],
    [
      'seccomp',
      seccomp
        ? `${seccomp.names} system calls are named in its rules; ${seccomp.defaultAction} for all others`
        : 'none: every system call of the kernel is reachable',
    ],
    ...(process.rlimits ?? []).map(({ type, soft, hard }) => ['limit', `${type} ${soft}:${hard}`]),
  ]);
}

function command({ config: { process, hostname } }: Plan, style: Style): string[] {
  return columns(style, [
    ['arguments', printable(process.args.map((arg) => JSON.stringify(arg)).join(' '))],
    ['directory', printable(process.cwd)],
    ['hostname', hostname ?? 'the host’s'],
    ['terminal', process.terminal ? 'a pty of the container’s own' : 'none: pipes'],
    ...process.env.map((entry) => ['environment', printable(entry)]),
  ]);
}

const ACTOR_PAINT: Readonly<Record<Actor, Paint>> = {
  user: 'green',
  rootless: 'yellow',
  supervisor: 'blue',
  helper: 'magenta',
  hub: 'magenta',
  container: 'cyan',
};

function programSection(
  { title, program }: PlannedProgram,
  steps: readonly NumberedStep[],
  style: Style,
): string {
  const slots = new SlotNames();
  const lines = [
    paint(style, 'bold', `STEPS: ${title} (${steps.length} steps, ${program.slots.count} run-time values)`),
  ];
  let previous: NumberedStep | undefined;
  for (const numbered of steps) {
    lines.push(...stepLines(numbered, previous, slots, style));
    previous = numbered;
  }
  return lines.join('\n');
}

const NUMBER_WIDTH = 5;
const ACTOR_WIDTH = 11;

/** The reason, unless it is that of the step before, and below it the call. */
function stepLines(
  { number, step, depth }: NumberedStep,
  previous: NumberedStep | undefined,
  slots: SlotNames,
  style: Style,
): string[] {
  const indent = '  '.repeat(depth);
  const left = ' '.repeat(NUMBER_WIDTH + 1);
  const isSame =
    previous?.step.why === step.why && previous.depth === depth && previous.step.actor === step.actor;
  const why = wrapped(style, `${left}${indent}# `, withShortDigests(printable(step.why)));
  const tolerated = step.tolerate?.length ? `   (${step.tolerate.join(', ')}: goes on)` : '';
  const head = `${String(number).padStart(NUMBER_WIDTH)} ${indent}${step.actor.padEnd(ACTOR_WIDTH)}`;
  const [first = '', ...rest] = wrapped(
    style,
    head,
    withShortDigests(printable(describeCall(step, slots))) + tolerated,
  );
  const colored = first.replace(step.actor, paint(style, ACTOR_PAINT[step.actor], step.actor));
  return [...(isSame ? [] : why.map((line) => paint(style, 'dim', line))), colored, ...rest];
}
