/**
 * Capabilities (capabilities(7)): names and numbers, the default set, `--cap-add`/`--cap-drop`, and the bit masks of capset(2).
 *
 * A container's capabilities are in force in its user namespace only: CAP_SYS_ADMIN there is none over the host.
 */
import { tsrunError } from '../errors.ts';

/** linux/capability.h: names and numbers, as capset(2) and prctl(PR_CAPBSET_DROP) take them. */
export const CAPABILITY_NUMBERS = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_LINUX_IMMUTABLE: 9,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_BROADCAST: 11,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_IPC_LOCK: 14,
  CAP_IPC_OWNER: 15,
  CAP_SYS_MODULE: 16,
  CAP_SYS_RAWIO: 17,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_PACCT: 20,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_BOOT: 22,
  CAP_SYS_NICE: 23,
  CAP_SYS_RESOURCE: 24,
  CAP_SYS_TIME: 25,
  CAP_SYS_TTY_CONFIG: 26,
  CAP_MKNOD: 27,
  CAP_LEASE: 28,
  CAP_AUDIT_WRITE: 29,
  CAP_AUDIT_CONTROL: 30,
  CAP_SETFCAP: 31,
  CAP_MAC_OVERRIDE: 32,
  CAP_MAC_ADMIN: 33,
  CAP_SYSLOG: 34,
  CAP_WAKE_ALARM: 35,
  CAP_BLOCK_SUSPEND: 36,
  CAP_AUDIT_READ: 37,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
  CAP_CHECKPOINT_RESTORE: 40,
} as const;

export type Capability = keyof typeof CAPABILITY_NUMBERS;

/** All 41, in the order of their numbers. */
export const CAPABILITIES = Object.keys(CAPABILITY_NUMBERS) as readonly Capability[];

/** The number of `name`, as capset(2) and prctl(PR_CAPBSET_DROP) take it. */
export function capabilityNumber(name: Capability): number {
  return CAPABILITY_NUMBERS[name];
}

/** What a container has unless told otherwise: podman's eleven. Docker adds AUDIT_WRITE, MKNOD and NET_RAW. */
export const DEFAULT_CAPABILITIES: readonly Capability[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_SETFCAP',
];

/** `CAP_NET_RAW` for `net_raw`, `NET_RAW`, `cap_net_raw`. Throws ERR_TSRUN_USAGE naming the option and the closest names. */
export function parseCapability(text: string, option: string): Capability {
  const upper = text.trim().toUpperCase();
  const wanted = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  const found = CAPABILITIES.find((name) => name === wanted);
  if (found) return found;
  const close = closest(wanted);
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `${option}: there is no capability "${text}"`,
    hint: close.length > 0 ? `did you mean ${close.join(' or ')}?` : 'capabilities(7) lists them all',
  });
}

/**
 * The capabilities of a container, in the order of their numbers. `ALL` adds all or drops all. As podman and docker: what is
 * added by name is there although ALL is dropped, what is dropped by name is not although ALL is added; a name
 * in both lists is an error. Throws ERR_TSRUN_USAGE.
 */
export function applyCapAddDrop(
  add: readonly string[],
  drop: readonly string[],
  defaults: readonly Capability[] = DEFAULT_CAPABILITIES,
): Capability[] {
  const isAll = (text: string): boolean => text.trim().toUpperCase() === 'ALL';
  const added = new Set(add.filter((text) => !isAll(text)).map((text) => parseCapability(text, '--cap-add')));
  const dropped = new Set(
    drop.filter((text) => !isAll(text)).map((text) => parseCapability(text, '--cap-drop')),
  );
  const both = [...added].find((name) => dropped.has(name));
  const [addAll, dropAll] = [add.some(isAll), drop.some(isAll)];
  if (both ?? (addAll && dropAll))
    throw tsrunError('ERR_TSRUN_USAGE', { problem: `${both ?? 'ALL'} is both added and dropped` });
  const base: readonly Capability[] = addAll ? CAPABILITIES : dropAll ? [] : defaults;
  const has = new Set(base);
  return CAPABILITIES.filter((name) => added.has(name) || (has.has(name) && !dropped.has(name)));
}

/** The set as a bit mask: bit n is capability n. A name that is none gives no bit (runtime-spec: not an error, but nothing gained). */
export function capabilityMask(names: Iterable<string>): bigint {
  let mask = 0n;
  for (const name of names) {
    if (Object.hasOwn(CAPABILITY_NUMBERS, name)) mask |= 1n << BigInt(CAPABILITY_NUMBERS[name as Capability]);
  }
  return mask;
}

/** The reverse of {@link capabilityMask}, e.g. of `CapEff` in /proc/self/status. Bits without a name are left out. */
export function capabilitiesOf(mask: bigint): Capability[] {
  return CAPABILITIES.filter((_, number) => (mask >> BigInt(number)) & 1n);
}

/** capset(2), _LINUX_CAPABILITY_VERSION_3: two structs, for the lower and the upper 32 capabilities. */
export function capabilityHalves(mask: bigint): readonly [low: number, high: number] {
  return [Number(mask & 0xffffffffn), Number((mask >> 32n) & 0xffffffffn)];
}

/** Names that differ in few letters, or that contain what was typed; at most three. */
function closest(wanted: string): string[] {
  const typed = wanted.replace('CAP_', '');
  return CAPABILITIES.map((name) => ({ name, distance: editDistance(name, wanted) }))
    .filter(({ name, distance }) => distance <= 2 || (typed.length >= 3 && name.includes(typed)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Levenshtein: insertions, deletions and replacements that make `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
