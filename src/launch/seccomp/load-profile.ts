/**
 * Reads a profile for `--security-opt seccomp=FILE`: the OCI object (runtime-spec config-linux.md) or the richer format of docker and
 * podman, whose rules can be for some architectures, capabilities or kernels only. The result is the OCI object.
 *
 * A profile with a mistake is refused as a whole, naming the place: a rule that is silently left out would be a hole.
 */
import { tsrunError } from '../../errors.ts';
import { ERRNO, type ErrnoName } from '../../sys/errno.ts';
import type { Architecture } from '../../sys/syscall-numbers.ts';
import { applies, checkCondition } from './docker-condition.ts';
import {
  OCI_ARCHITECTURE,
  OCI_SECCOMP_ACTIONS,
  OCI_SECCOMP_FLAGS,
  OCI_SECCOMP_OPERATORS,
  type OciSeccomp,
  type OciSeccompAction,
  type OciSeccompArgument,
  type OciSeccompRule,
} from './oci.ts';
import { ProfileNode } from './profile-node.ts';
import type { ProfileTarget } from './profile-target.ts';

const PROFILE_KEYS = [
  ...['defaultAction', 'defaultErrnoRet', 'defaultErrno', 'architectures', 'archMap', 'flags', 'syscalls'],
];
const RULE_KEYS = [
  ...['name', 'names', 'action', 'errnoRet', 'errno', 'args', 'comment', 'includes', 'excludes', 'priority'],
];

/** Parses the text of `file`. Throws ERR_TSRUN_SECCOMP_PROFILE. */
export function loadSeccompProfile(file: string, text: string, target: ProfileTarget): OciSeccomp {
  return readProfile(new ProfileNode(file, '', parse(file, text)), target);
}

/** Checks a profile that is already parsed, at `root`. Throws ERR_TSRUN_SECCOMP_PROFILE. */
export function readProfile(root: ProfileNode, target: ProfileTarget): OciSeccomp {
  const listener = root.get('listenerPath');
  if (listener.present) listener.fail('asks for a listener (SCMP_ACT_NOTIFY), which tsrun does not have');
  root.onlyKeys(PROFILE_KEYS, 'listenerMetadata');
  const architectures = [
    ...checkArchitectures(root.get('architectures'), target.arch),
    ...mappedArchitectures(root.get('archMap'), target.arch),
  ];
  const flags = root
    .get('flags')
    .items()
    .map((flag) => flag.oneOf(Object.keys(OCI_SECCOMP_FLAGS)));
  const defaultErrnoRet = errno(root, 'defaultErrnoRet', 'defaultErrno');
  return {
    defaultAction: action(root.get('defaultAction')),
    ...(defaultErrnoRet !== undefined && { defaultErrnoRet }),
    ...(architectures.length > 0 && { architectures }),
    ...(flags.length > 0 && { flags }),
    syscalls: root
      .get('syscalls')
      .items()
      .flatMap((node) => rule(node, target)),
  };
}

/** Numbers of conditions may have 64 bits; JSON.parse would round them, so their text is read instead. */
function parse(file: string, text: string): unknown {
  const exact = (key: string, value: unknown, context?: { source?: string }): unknown => {
    const source = context?.source;
    const large = typeof value === 'number' && !Number.isSafeInteger(value) && /^(value|valueTwo)$/.test(key);
    return large && source && /^\d+$/.test(source) ? BigInt(source) : value;
  };
  try {
    return JSON.parse(text, exact);
  } catch (error) {
    throw tsrunError('ERR_TSRUN_SECCOMP_PROFILE', { file, problem: 'it is not JSON' }, error);
  }
}

function checkArchitectures(node: ProfileNode, arch: Architecture): string[] {
  const names = node.items().map((item) => item.string());
  if (names.length > 0 && !names.includes(OCI_ARCHITECTURE[arch]))
    node.fail(`lists ${names.join(', ')}, but this machine is ${OCI_ARCHITECTURE[arch]}`);
  return names;
}

/** docker's and podman's form: for each machine, which others it runs besides. */
function mappedArchitectures(node: ProfileNode, arch: Architecture): string[] {
  const names = (item: ProfileNode): string[] => item.items().map((name) => name.string());
  return node.items().flatMap((entry) => {
    const architecture = entry.get('architecture').string();
    return architecture === OCI_ARCHITECTURE[arch]
      ? [architecture, ...names(entry.get('subArchitectures'))]
      : [];
  });
}

function action(node: ProfileNode): OciSeccompAction {
  if (node.value === 'SCMP_ACT_NOTIFY')
    node.fail('is SCMP_ACT_NOTIFY, which needs a listener that tsrun does not have');
  return node.oneOf(OCI_SECCOMP_ACTIONS);
}

/** podman writes the number and the name; docker and OCI the number. */
function errno(node: ProfileNode, numberKey: string, nameKey: string): number | undefined {
  const name = node.get(nameKey);
  if (name.present && name.value !== '') return ERRNO[name.oneOf(Object.keys(ERRNO) as ErrnoName[])];
  const number = node.get(numberKey);
  // 4095 is the largest errno that a filter may answer with (MAX_ERRNO).
  return number.present ? Number(number.integer(4095n)) : undefined;
}

function rule(node: ProfileNode, target: ProfileTarget): OciSeccompRule[] {
  node.onlyKeys(RULE_KEYS);
  const { includes, excludes } = { includes: node.get('includes'), excludes: node.get('excludes') };
  for (const filter of [includes, excludes]) checkCondition(filter);
  const name = node.get('name');
  const names = name.present && name.value !== '' ? [name] : node.get('names').items();
  if (names.length === 0) node.fail('names no system call');
  const errnoRet = errno(node, 'errnoRet', 'errno');
  const args = node.get('args').items().map(argument);
  const result: OciSeccompRule = {
    names: names.map((item) => item.string()),
    action: action(node.get('action')),
    ...(errnoRet !== undefined && { errnoRet }),
    ...(args.length > 0 && { args }),
  };
  return applies(includes, excludes, target) ? [result] : [];
}

function argument(node: ProfileNode): OciSeccompArgument {
  node.onlyKeys(['index', 'value', 'valueTwo', 'op']);
  const valueTwo = node.get('valueTwo');
  return {
    index: Number(node.get('index').integer(5n)),
    value: node.get('value').integer(),
    ...(valueTwo.present && { valueTwo: valueTwo.integer() }),
    op: node.get('op').oneOf(OCI_SECCOMP_OPERATORS),
  };
}
