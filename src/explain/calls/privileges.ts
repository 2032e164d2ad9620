/** Users, groups, capabilities, limits, seccomp, prctl. */
import { CAPABILITY_NUMBERS, capabilitiesOf } from '../../launch/capabilities.ts';
import { RLIMIT_NUMBERS } from '../../launch/rlimits.ts';
import {
  type Family,
  hidden,
  isStruct,
  membersOf,
  number,
  numberOf,
  oneOf,
  plain,
  pointer,
  type Show,
} from './arguments.ts';
import { id } from './files.ts';
import { joined, nameOf, namesOf, namesWith } from './names.ts';
import { signal } from './processes.ts';

const AMBIENT = namesWith('PR_CAP_AMBIENT_');
const PRCTL = joined(
  namesWith('PR_', 'PR_CAP_AMBIENT_'),
  namesOf({ PR_SET_SECUREBITS: 28, PR_SET_CHILD_SUBREAPER: 36, PR_SET_MM: 35 }),
);
const capability = oneOf(namesOf(CAPABILITY_NUMBERS));

/** What the second argument of each prctl is. */
const PRCTL_SECOND: Readonly<Record<string, Show>> = {
  PR_SET_PDEATHSIG: signal,
  PR_CAPBSET_DROP: capability,
  PR_CAP_AMBIENT: oneOf(AMBIENT),
};

const operation = (all: readonly unknown[]): string => nameOf(PRCTL, numberOf(all[0] as never) ?? -1n);

const second: Show = (argument, context) =>
  (PRCTL_SECOND[operation(context.all)] ?? plain)(argument, context);

const third: Show = (argument, context) => {
  if (operation(context.all) !== 'PR_CAP_AMBIENT') return unlessZero(argument, context);
  const raises = nameOf(AMBIENT, numberOf(context.all[1]) ?? -1n) !== 'PR_CAP_AMBIENT_CLEAR_ALL';
  return raises ? capability(argument, context) : undefined;
};

const unlessZero: Show = number((value) => (value === 0n ? undefined : String(value)));

const HALF = 32n;

/** The two structs of capset(2), which hold three sets each, as names. */
const capabilitySets: Show = (argument, context) => {
  const members = membersOf(argument);
  if (members.length !== 6 || members.includes(undefined)) return plain(argument, context);
  const say = (name: string, n: number): string => {
    const mask = (members[n] ?? 0n) | ((members[n + 3] ?? 0n) << HALF);
    return `${name}=${capabilitiesOf(mask).join('|') || '0'}`;
  };
  const [effective, permitted] = [say('effective', 0), say('permitted', 1)];
  const same = effective.split('=')[1] === permitted.split('=')[1];
  const sets = same ? [`effective=${permitted}`] : [effective, permitted];
  return `{${[...sets, say('inheritable', 2)].join(', ')}}`;
};

/** A struct that is there is the call's; its own words say what it is. */
const limits: Show = (argument, context) =>
  isStruct(argument) ? plain(argument, context) : pointer(argument, context);

export const privileges: Family = {
  prctl: [oneOf(PRCTL), second, third, unlessZero, unlessZero],
  capset: [hidden, capabilitySets],
  seccomp: [oneOf(namesWith('SECCOMP_')), unlessZero, plain],
  prlimit64: [plain, oneOf(namesOf(RLIMIT_NUMBERS)), limits, pointer],
  setresuid: [id, id, id],
  setresgid: [id, id, id],
  setgroups: [plain, plain],
};
