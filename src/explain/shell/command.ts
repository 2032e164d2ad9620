/** How set-up ends and the container's command begins: rights are dropped by setpriv(1), then the shell waits for its new root. */
import type { Plan } from '../plan.ts';
import { quote, words } from './quote.ts';

const withoutPrefix = (name: string): string => name.replace('CAP_', '').toLowerCase();

/** `-all,+chown,+kill` */
const set = (names: readonly string[]): string =>
  ['-all', ...names.map((name) => `+${withoutPrefix(name)}`)].join(',');

function setpriv({ config: { process }, idMaps }: Plan): string {
  const { uid, gid, additionalGids = [] } = process.user;
  const sets = process.capabilities;
  const groups = additionalGids.length > 0 ? `--groups ${additionalGids.join(',')}` : '--clear-groups';
  return [
    `--reuid ${uid} --regid ${gid} ${idMaps.single ? '--keep-groups' : groups}`,
    `--bounding-set ${set(sets?.bounding ?? [])}`,
    `--inh-caps ${set(sets?.inheritable ?? [])} --ambient-caps ${set(sets?.ambient ?? [])}`,
    ...(process.noNewPrivileges ? ['--no-new-privs'] : []),
  ].join(' ');
}

const RLIMIT_OPTIONS: Readonly<Record<string, string>> = { RLIMIT_NPROC: 'nproc', RLIMIT_NOFILE: 'nofile' };

function limits({ config: { process } }: Plan): string[] {
  return (process.rlimits ?? []).map(({ type, soft, hard }) => {
    const name = RLIMIT_OPTIONS[type] ?? type.replace('RLIMIT_', '').toLowerCase();
    const text = (value: number): string => (value < 0 ? 'unlimited' : String(value));
    return `prlimit --pid $$ --${name}=${text(soft)}:${text(hard)}`;
  });
}

/** What the shell without privileges does: says that it is ready, and goes on when its root has been changed. Only bash's own commands. */
const WAIT = [
  'echo "$1" >&8',
  'read -r answer <&9 && [ "$answer" = ok ] || exit 125',
  'cd /proc/self/fd && for fd in *; do [ "$fd" -le 2 ] || eval "exec $fd>&-"; done',
  'cd "$2" || exit 125',
  'shift 2',
  'unset OLDPWD SHLVL _',
  'exec "$@"',
].join('; ');

export function commandSteps(plan: Plan): string[] {
  const { process } = plan.config;
  return [
    ...limits(plan),
    `umask ${(process.user.umask ?? 0o022).toString(8).padStart(4, '0')}`,
    'cd /',
    'exec 8<>"$dir/ready" 9<>"$dir/moved" # the container’s user may not open them',
    '# The image’s environment has a PATH of its own: our tools are looked up before.',
    `exec env -i ${words(process.env)} \\`,
    `  "$(command -v setpriv)" ${setpriv(plan)} -- \\`,
    `  "$(command -v bash)" -c ${quote(WAIT)} bash \\`,
    `  "$pid" ${quote(process.cwd)} ${words(process.args)}`,
  ];
}
