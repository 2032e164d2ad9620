/**
 * From root of the container's set-up to the user of its command.
 *
 * Order matters. The bounding set and groups need capabilities that setresuid(2) and capset(2) take away. Without no_new_privs the
 * kernel wants CAP_SYS_ADMIN for a seccomp filter, so it comes before them; with it, last of all, so that it need not allow them.
 * Inheritable and ambient capabilities stay empty unless the configuration asks for them (CVE-2022-29162).
 */

import type { CapabilitySets, Process } from '../spec/runtime.ts';
import { call } from '../sys/calls.ts';
import {
  LINUX_CAPABILITY_VERSION_3,
  PR_CAP_AMBIENT,
  PR_CAP_AMBIENT_CLEAR_ALL,
  PR_CAP_AMBIENT_RAISE,
  PR_CAPBSET_DROP,
  PR_SET_KEEPCAPS,
  PR_SET_NO_NEW_PRIVS,
  SECCOMP_SET_MODE_FILTER,
} from '../sys/constants.ts';
import type { Memory, Step } from '../sys/step.ts';
import { CAPABILITIES, type Capability, capabilityMask, capabilityNumber } from './capabilities.ts';
import type { CompiledFilter } from './seccomp/compiled-filter.ts';

const maskOf = (names: readonly string[]): bigint => capabilityMask(names as readonly Capability[]);

function dropBounding(sets: CapabilitySets): Step[] {
  const keep = new Set(sets.bounding);
  // EINVAL: this kernel does not know the capability yet, so nobody has it.
  return CAPABILITIES.filter((name) => !keep.has(name)).map((name) =>
    call(
      'container',
      `no program started here can ever gain ${name}`,
      'prctl',
      [PR_CAPBSET_DROP, capabilityNumber(name), 0, 0, 0],
      { tolerate: ['EINVAL'] },
    ),
  );
}

function capset(sets: CapabilitySets): Step {
  const masks = [sets.effective, sets.permitted, sets.inheritable].map(maskOf);
  const header: Memory = {
    fields: [
      { width: 4, value: LINUX_CAPABILITY_VERSION_3 },
      { width: 4, value: 0 },
    ],
    say: 'v3',
  };
  const halves = [0n, 32n].flatMap((shift) =>
    masks.map((mask) => ({ width: 4, value: (mask >> shift) & 0xffffffffn }) as const),
  );
  const say = sets.effective.length === 0 ? 'none' : `${sets.effective.length} of 41`;
  return call('container', 'keep only the capabilities of the configuration', 'capset', [
    header,
    { fields: halves, say },
  ]);
}

function installSeccomp({ bytes: filter, flags }: CompiledFilter): Step {
  const program: Memory = {
    fields: [{ width: 2, value: filter.length / 8 }, { bytes: new Uint8Array(6) }, { pointer: filter }],
    say: `${filter.length / 8} instructions`,
  };
  return call('container', 'refuse the system calls that no ordinary program needs', 'seccomp', [
    SECCOMP_SET_MODE_FILTER,
    flags,
    program,
  ]);
}

const EMPTY: CapabilitySets = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] };

/** @param canSetGroups false in a user namespace where setgroups(2) is denied (single-id maps) */
export function dropPrivileges(
  target: Process,
  filter: CompiledFilter | undefined,
  canSetGroups: boolean,
): Step[] {
  const sets = target.capabilities ?? EMPTY;
  const { uid, gid, additionalGids = [] } = target.user;
  const installed = filter ? [installSeccomp(filter)] : [];
  const keep = uid !== 0 && sets.permitted.length > 0;
  const groups: Memory = {
    fields: additionalGids.map((group) => ({ width: 4, value: group }) as const),
    say: `[${additionalGids.join(', ')}]`,
  };
  return [
    ...dropBounding(sets),
    ...(target.noNewPrivileges ? [] : installed),
    ...(canSetGroups
      ? [
          call('container', 'exactly the groups of the configuration', 'setgroups', [
            additionalGids.length,
            groups,
          ]),
        ]
      : []),
    ...(keep
      ? [
          call('container', 'keep capabilities across the change of user', 'prctl', [
            PR_SET_KEEPCAPS,
            1,
            0,
            0,
            0,
          ]),
        ]
      : []),
    call('container', `become group ${gid}`, 'setresgid', [gid, gid, gid]),
    call('container', `become user ${uid}`, 'setresuid', [uid, uid, uid]),
    call('container', 'no ambient capabilities', 'prctl', [
      PR_CAP_AMBIENT,
      PR_CAP_AMBIENT_CLEAR_ALL,
      0,
      0,
      0,
    ]),
    capset(sets),
    ...sets.ambient.map((name) =>
      call('container', `keep ${name} across execve`, 'prctl', [
        PR_CAP_AMBIENT,
        PR_CAP_AMBIENT_RAISE,
        capabilityNumber(name as Capability),
        0,
        0,
      ]),
    ),
    ...(target.noNewPrivileges
      ? [
          call('container', 'no setuid program can raise privileges', 'prctl', [
            PR_SET_NO_NEW_PRIVS,
            1,
            0,
            0,
            0,
          ]),
          ...installed,
        ]
      : []),
  ];
}
