/**
 * Use case: `tsrun update`: other limits, another restart policy, another health check for a container that is there. They are kept for its next
 * starts; of one that runs, the limits are written to its cgroup and the policy is handed to its supervisor at once. Its health check is a program
 * that the supervisor was given at its start: there another one holds from the next.
 */

import { readFileSync } from 'node:fs';
import { tsrunError } from '../errors.ts';
import { limitsInForce } from '../launch/cgroup/limit-files.ts';
import type { RuntimeResources } from '../spec/runtime.ts';
import { replaceFile } from '../store/atomic-write.ts';
import type { ContainerRecord, RestartPolicy } from '../store/container-record.ts';
import { containerFiles } from '../store/paths.ts';
import type { SupervisorClient } from '../supervisor/client.ts';
import { policy } from '../supervisor/messages.ts';
import { isAlive } from '../sys/process.ts';
import { parseConfig, stringifyConfig } from './config-json.ts';
import { connectToSupervisor } from './connect-to-supervisor.ts';
import { cgroupsOf } from './container-cgroup.ts';
import { logContainerEvent } from './container-events.ts';
import { type ContainerView, findContainer } from './container-view.ts';
import { endedMeanwhile } from './ended-meanwhile.ts';
import { changedHealthCheck } from './health-check.ts';
import { lockContainer } from './lock-container.ts';
import type { Engine } from './open-engine.ts';
import type { HealthRequest } from './request.ts';
import { announceEnd } from './signal-supervisor.ts';
import { restartOrders } from './supervision.ts';

export interface UpdateRequest {
  /** The limits that hold from now on, of those that hold. Absent: as they are. */
  resources?: ((before: RuntimeResources) => RuntimeResources) | undefined;
  /** Absent: as it is. */
  restart?: { policy: RestartPolicy | undefined } | undefined;
  /** Absent: as it is. */
  health?: HealthRequest | undefined;
}

/**
 * @throws ERR_TSRUN_USAGE for what contradicts how the container was made; ERR_TSRUN_UPDATE, ERR_TSRUN_CGROUP when a limit cannot be had:
 * then nothing is changed
 */
export async function updateContainer(
  engine: Engine,
  wanted: string,
  request: UpdateRequest,
): Promise<string> {
  const { id } = findContainer(engine, wanted);
  using _lock = await lockContainer(engine, id);
  const view = findContainer(engine, id);
  if (request.restart?.policy && view.record.autoRemove) {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `container ${view.name} was made with --rm: what is removed at its end cannot be started again`,
    });
  }
  if (request.restart?.policy && view.record.logDriver === 'passthrough') {
    throw tsrunError('ERR_TSRUN_USAGE', {
      problem: `container ${view.name} was made with --log-driver passthrough: later starts would not have the streams`,
    });
  }
  const health = request.health && { check: newHealthCheck(engine, view, request.health) };
  if (request.resources) await updateLimits(engine, view, request.resources);
  if (request.restart) await updatePolicy(engine, view, request.restart.policy);
  if (health) updateHealth(engine, view, health.check);
  logContainerEvent(engine, view.record, 'update');
  return view.name;
}

async function updateLimits(
  engine: Engine,
  view: ContainerView,
  change: (before: RuntimeResources) => RuntimeResources,
): Promise<void> {
  const { name, record, state } = view;
  if (record.cgroups === 'disabled') {
    const problem = `container ${name} was made with --cgroups disabled: limits need a cgroup`;
    throw tsrunError('ERR_TSRUN_USAGE', { problem });
  }
  if (state.phase === 'restarting') {
    const hint = `tsrun update … ${name}   # again, when it runs`;
    throw tsrunError('ERR_TSRUN_CONTAINER_STATE', {
      name,
      state: state.phase,
      wanted: 'running or stopped',
      hint,
    });
  }
  const { config: path } = containerFiles(engine.paths, view.id);
  const config = parseConfig(readFileSync(path, 'utf8'));
  const { resources: before = {}, ...linux } = config.linux;
  const after = change(before);
  if (state.init) await writeLive(engine, view, before, after);
  replaceFile(
    engine.paths,
    path,
    stringifyConfig({
      ...config,
      linux: { ...linux, ...(Object.keys(after).length > 0 && { resources: after }) },
    }),
  );
}

async function writeLive(
  engine: Engine,
  { id, name, state }: ContainerView,
  before: RuntimeResources,
  after: RuntimeResources,
): Promise<void> {
  if (!state.init) return;
  const { writeLimits } = await import('./live-limits.ts');
  const directories = cgroupsOf(state.init.pid, id);
  const missing = writeLimits(name, directories, limitsInForce(before), limitsInForce(after));
  if (missing.length > 0) {
    engine.warn(
      `container ${name} was started without the cgroup controller${missing.length > 1 ? 's' : ''} ${missing.join(', ')}: that limit holds from its next start; at once with: tsrun restart ${name}`,
    );
  }
}

/** @throws ERR_TSRUN_USAGE when it cannot be */
function newHealthCheck(
  engine: Engine,
  { name, record }: ContainerView,
  request: HealthRequest,
): ContainerRecord['health'] {
  const health = changedHealthCheck(record.health, request);
  if (!health && record.sdnotify === 'healthy') {
    const problem = `container ${name} was made with --sdnotify healthy: it is ready when its health check says so`;
    throw tsrunError('ERR_TSRUN_USAGE', { problem });
  }
  if (!health || record.health) return health;
  const image = engine.images.resolve(record.imageId);
  const { Shell: shell } = (image && engine.images.config(image).config) ?? {};
  return { ...health, ...(shell && { shell }) };
}

function updateHealth(
  engine: Engine,
  { id, name, state }: ContainerView,
  health: ContainerRecord['health'],
): void {
  engine.containers.change(id, (record) => ({ ...record, health }));
  if (state.init || state.phase === 'restarting') {
    engine.warn(
      `container ${name} runs: its new health check holds from its next start; at once with: tsrun restart ${name}`,
    );
  }
}

async function updatePolicy(
  engine: Engine,
  view: ContainerView,
  restart: RestartPolicy | undefined,
): Promise<void> {
  engine.containers.change(view.id, (record) => ({ ...record, restart }));
  const { init, phase } = view.state;
  if (phase === 'restarting' && !restart) announceEnd(view);
  else if (init || phase === 'restarting') await tellSupervisor(engine, view, restart);
}

/** One whose start had no policy has let go of what it would start again: the new one holds from the next start. */
async function tellSupervisor(
  engine: Engine,
  view: ContainerView,
  restart: RestartPolicy | undefined,
): Promise<void> {
  const { name, state } = view;
  const client = supervisorOf(engine, view);
  if (client === undefined) return;
  try {
    await client.send(policy(restartOrders(restart)));
    // During the pause between two starts the next one answers, and no other answer is possible than that it holds.
    if (state.phase === 'restarting') return;
    for (;;) {
      const message = await client.next();
      if (message === undefined || message.type === 'exit') return; // it has ended meanwhile
      if (message.type !== 'policy') continue;
      if (!message.taken && restart) {
        engine.warn(
          `container ${name} was started without a restart policy: ${restart.name} holds from its next start; at once with: tsrun restart ${name}`,
        );
      }
      return;
    }
  } finally {
    client.close();
  }
}

/** Undefined when the container has ended meanwhile: then nobody has to be told. @throws ERR_TSRUN_SUPERVISOR_GONE */
function supervisorOf(engine: Engine, view: ContainerView): SupervisorClient | undefined {
  try {
    return connectToSupervisor(engine.paths, view.id, view.name, 'update');
  } catch (error) {
    const { supervisor } = view.state;
    if (endedMeanwhile(engine, view) || !supervisor || !isAlive(supervisor)) return undefined;
    throw error;
  }
}
