/** The cgroup of a container, decided anew at each start: where the user may make one differs from login to login. */
import { existsSync, readFileSync } from 'node:fs';
import type { Controller } from '../launch/cgroup/limit-files.ts';
import { cgroupPlaces, thisHost } from '../launch/cgroup/places.ts';
import type { CgroupPlan } from '../launch/cgroup/plan.ts';
import type { RuntimeConfig } from '../spec/runtime.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Engine } from './open-engine.ts';

const ROOT = '/sys/fs/cgroup';
/** What its directory is called. */
const nameOf = (id: string): string => `tsrun-${id}`;

/**
 * Undefined where the container gets none. What is asked for and cannot be had is said in one line.
 * @throws ERR_TSRUN_CGROUP with --cgroups=required
 */
export async function containerCgroup(
  engine: Pick<Engine, 'warn'>,
  record: ContainerRecord,
  config: RuntimeConfig,
): Promise<CgroupPlan | undefined> {
  const score = config.process.oomScoreAdj;
  if (score !== undefined) (await import('./cgroup-lack.ts')).sayIfScoreIsTooLow(engine, score);
  if (record.cgroups === 'disabled') return undefined;
  const resources = config.linux.resources ?? {};
  const host = thisHost();
  const asked = config.linux.resources || record.cgroups === 'required' || record.cgroupParent !== undefined;
  const wanted: Controller[] = asked
    ? [
        ...new Set([
          ...(await import('../launch/cgroup/limit-files.ts')).controllersFor(resources),
          'pids' as const,
        ]),
      ]
    : ['pids'];
  const places = cgroupPlaces(host, wanted, record.cgroupParent);
  if (!asked && places.length === 0) return undefined;
  const { planCgroup } = await import('../launch/cgroup/plan.ts');
  const plan = planCgroup(places, nameOf(record.id), resources, host.pid);
  if (asked) await (await import('./cgroup-lack.ts')).sayWhatLacks(engine, record, plan);
  return plan.directories.length > 0 ? plan : undefined;
}

/** The cgroups that a running container has of its own: where one more process of it belongs. */
export function cgroupsOf(init: number, id: string): string[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${init}/cgroup`, 'latin1');
  } catch {
    return []; // it has just ended, which the next step finds out
  }
  return text.split('\n').flatMap((line) => {
    const [, names = '', path = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (!path.endsWith(`/${nameOf(id)}`)) return [];
    const trees = names === '' ? [ROOT, `${ROOT}/unified`] : [`${ROOT}/${names}`];
    return trees.map((tree) => `${tree}${path}`).filter((directory) => existsSync(directory));
  });
}
