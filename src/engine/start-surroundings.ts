/** What tsrun itself was given by whoever has started it, and a container that it starts is to have: descriptors, and a service manager's socket. */
import { tsrunError } from '../errors.ts';
import type { RuntimeConfig } from '../spec/runtime.ts';
import type { ContainerRecord, NotifyMode } from '../store/container-record.ts';
import type { Engine } from './open-engine.ts';
import type { PassedDescriptors } from './passed-descriptors.ts';
import type { ServiceManager } from './service-manager.ts';

export interface SurroundingOptions {
  /** --preserve-fds: how many of this process's descriptors, from 3 on, are for the command. */
  preserve?: number | undefined;
  /** --sdnotify of this start; absent: the container's */
  sdnotify?: NotifyMode | undefined;
  /** Write ends of pipes for trace records, one for each program. */
  trace?: { user: number; supervisor: number } | undefined;
}

export interface Surroundings {
  /** The configuration with what the command is to know of it. */
  config: RuntimeConfig;
  passed?: PassedDescriptors['descriptors'] | undefined;
  stdio?: PassedDescriptors['stdio'];
  manager?: ServiceManager | undefined;
}

/** Nothing is loaded for a start that has none of it. @throws ERR_TSRUN_USAGE when a descriptor is not open, or would be lost, or nobody would ever say READY */
export async function startSurroundings(
  engine: Engine,
  record: ContainerRecord,
  planned: RuntimeConfig,
  { preserve = 0, sdnotify, trace }: SurroundingOptions,
): Promise<Surroundings> {
  if (sdnotify === 'healthy' && !record.health) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `--sdnotify healthy: container ${record.name} has no health check`,
      hint: `tsrun update --health-cmd 'wget -q -O /dev/null http://localhost/' ${record.name}`,
    });
  }
  const { LISTEN_FDS: listening, NOTIFY_SOCKET: address } = process.env;
  let surroundings: Surroundings = { config: planned };
  if (preserve > 0 || listening !== undefined || record.logDriver === 'passthrough') {
    const { passedDescriptors } = await import('./passed-descriptors.ts');
    const { descriptors, env, stdio } = passedDescriptors(preserve, record);
    if (trace && descriptors.length > 0) {
      throw tsrunError('ERR_TSRUN_USAGE', {
        problem: '--trace has no room for descriptors that are passed on, by --preserve-fds or LISTEN_FDS',
      });
    }
    const config = { ...planned, process: { ...planned.process, env: [...planned.process.env, ...env] } };
    surroundings = { config, passed: descriptors, stdio };
  }
  if (address) {
    const { serviceManager } = await import('./service-manager.ts');
    const manager = serviceManager(engine, record, surroundings.config, address, sdnotify);
    if (manager) surroundings = { ...surroundings, config: manager.config, manager };
  }
  return surroundings;
}
