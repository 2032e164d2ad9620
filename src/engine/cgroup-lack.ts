/** Limits that this machine does not let the user have: one line, with what to do about it. Loaded only for containers with limits. */
import { existsSync, readFileSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import type { Controller } from '../launch/cgroup/limit-files.ts';
import type { CgroupPlan } from '../launch/cgroup/plan.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './open-engine.ts';

const CONTROLLERS = 'cpu cpuset io memory pids';
const DROP_IN =
  'sudo mkdir -p /etc/systemd/system/user@.service.d && ' +
  `printf '[Service]\\nDelegate=${CONTROLLERS}\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && ` +
  'sudo systemctl daemon-reload   # then log in again';

/** What each controller limits. */
const OPTIONS: Record<Controller, string> = {
  memory: 'memory',
  cpu: 'processor time',
  cpuset: 'the choice of processors',
  pids: 'the number of processes',
};

/** @throws ERR_TSRUN_CGROUP with --cgroups=required */
export function sayWhatLacks(
  engine: Pick<Engine, 'warn'>,
  { name, cgroups, cgroupParent }: Pick<ContainerRecord, 'name' | 'cgroups' | 'cgroupParent'>,
  plan: Pick<CgroupPlan, 'missing' | 'directories'>,
): void {
  const lacking = whatLacks(plan, cgroupParent);
  if (lacking === undefined) return;
  if (cgroups === 'required')
    throw tsrunError('ERR_TSRUN_CGROUP', { container: name, lacking, hint: remedy() });
  engine.warn(`${lacking}; to have them: ${remedy()}`);
}

function whatLacks(
  { missing, directories }: Pick<CgroupPlan, 'missing' | 'directories'>,
  parent: string | undefined,
): string | undefined {
  const place = parent === undefined ? 'here' : `in ${parent}`;
  if (missing.length > 0) {
    const [word, verb] = missing.length > 1 ? ['controllers', 'are'] : ['controller', 'is'];
    const unlimited = missing.map((controller) => OPTIONS[controller]).join(', ');
    return `the cgroup ${word} ${missing.join(', ')} ${verb} not delegated to this user ${place}, so this is not limited: ${unlimited}`;
  }
  return directories.length === 0 ? `there is no cgroup of this user ${place}` : undefined;
}

/** The drop-in of systemd.resource-control(5), Delegate=. Where the user's manager has them already, a scope of its own is enough. */
function remedy(): string {
  if (!existsSync('/run/systemd/system')) return `docs/limits.md; on a machine with systemd: ${DROP_IN}`;
  const uid = process.getuid?.();
  const manager = `/sys/fs/cgroup/user.slice/user-${uid}.slice/user@${uid}.service`;
  return existsSync(manager)
    ? `systemd-run --user --scope -p Delegate=yes tsrun …   # where that is not enough: ${DROP_IN}`
    : DROP_IN;
}

/** Only root makes a process less likely to be killed than it is (proc_pid_oom_score_adj(5)). */
export function sayIfScoreIsTooLow(engine: Pick<Engine, 'warn'>, score: number): void {
  const own = Number(readFileSync('/proc/self/oom_score_adj', 'latin1'));
  if (score < own)
    engine.warn(
      `--oom-score-adj ${score} is below your own ${own}, which only root may go below: it stays ${own}`,
    );
}
