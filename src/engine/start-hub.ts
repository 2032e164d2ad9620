/**
 * Starting the hub of the user's bridge networks (launch-hub.ts), when join-hub.ts has found none. If the last one was killed, the new one takes
 * over what it has left (adopt-containers.ts).
 */
import { closeSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tsrunError } from '../errors.ts';
import { uplinkSubnet } from '../network/bridge-network.ts';
import type { UplinkOptions } from '../network/hub-program.ts';
import { probeOutward } from '../network/outward/probe.ts';
import { awaitExecve, enter, runEntry } from '../rootless/enter.ts';
import { rememberHolder } from '../rootless/holder.ts';
import { type EncodedProgram, encodeProgram } from '../sys/encode.ts';
import { ERRNO, errnoName, errnoText } from '../sys/errno.ts';
import { FAILURE_RECORD_SIZE } from '../sys/format.ts';
import { startTimeOf } from '../sys/process.ts';
import { SyscallFailure, systemWords } from '../sys/run.ts';
import { adopt, findSurvivors, type Survivors } from './adopt-containers.ts';
import { HUB_LOG } from './hub-files.ts';
import { HubMember, hearHub } from './hub-member.ts';
import type { HubNeeds } from './hub-needs.ts';
import { planHub } from './launch-hub.ts';
import type { Engine } from './open-engine.ts';

/** @param directory the hub's */
export function uplinkOptions(
  engine: Engine,
  { host, helper }: HubNeeds,
  directory: string,
): UplinkOptions | undefined {
  if (helper === undefined) return undefined;
  const outward = probeOutward(engine.rootless, join(engine.paths.runtime, 'takes-connections'));
  const subnet = uplinkSubnet(host.subnets);
  return { path: helper, openFiles: host.openFiles, directory, outward: outward === undefined, subnet };
}

/** What the sockets of a hub that was killed, and its children's, are taken for until they have ended. */
const STILL_ENDING: readonly number[] = [ERRNO.EADDRINUSE, ERRNO.EBUSY];
const PATIENCE_MS = 10_000;

/** Starts one, with the lock on its directory. @throws ERR_TSRUN_HUB, ERR_TSRUN_NAMESPACES */
export async function startHub(
  engine: Engine,
  needs: HubNeeds,
  directory: number,
  path: string,
  until = Date.now() + PATIENCE_MS,
): Promise<HubMember> {
  const uplink = uplinkOptions(engine, needs, path);
  using survivors = findSurvivors(engine);
  const way = survivors ? { maps: engine.maps, holder: survivors.holder } : engine.rootless();
  const { plan, results, taken } = enter(way, (rootless) => {
    // If the survivors have ended just now, there are new namespaces, and nothing to take over.
    const taken = rootless.holder === survivors?.holder ? survivors : undefined;
    const ipv6 = needs.host.hasIpv6;
    const plan = planHub({ rootless, directory, ipv6, uplink, netns: taken?.netns });
    const encoded = encodeProgram(plan);
    const results = runEntry(plan, encoded);
    awaitExecve(plan, encoded, results);
    return { plan, results, taken };
  });
  const pid = results(plan.pid);
  const startTime = startTimeOf(pid);
  if (startTime !== undefined) rememberHolder(engine.paths.runtime, { pid, startTime });
  for (const slot of [plan.pidfd, plan.reportRead, plan.helperOutput]) {
    if (results(slot) >= 0) closeSync(results(slot));
  }
  const connection = results(plan.connection);
  const report = results(plan.report);
  const failure = readFailure(report, plan.network);
  const given = failure ? undefined : hearHub(connection);
  const uplinkFailure = () => plan.uplink && readFailure(report, plan.uplink)?.words;
  if (given) {
    const started = { report, uplinkFailure };
    return adoptAll(new HubMember(connection, given, join(path, HUB_LOG), started), taken);
  }
  closeSync(connection);
  closeSync(report);
  if (taken && STILL_ENDING.includes(failure?.errno ?? 0) && Date.now() < until) {
    await sleep(10);
    return startHub(engine, needs, directory, path, until);
  }
  const doing = failure?.doing ?? 'start their hub';
  throw tsrunError('ERR_TSRUN_HUB', { doing }, failure?.words ?? 'it ended at once');
}

/** @throws ERR_TSRUN_HUB when the uplink cannot be started */
function adoptAll(member: HubMember, survivors: Survivors | undefined): HubMember {
  try {
    for (const survivor of survivors?.containers ?? []) adopt(member.connection, survivor);
    return member;
  } catch (error) {
    const words = error instanceof SyscallFailure ? member.uplinkFailure() : undefined;
    member[Symbol.dispose]();
    throw tsrunError('ERR_TSRUN_HUB', { doing: 'take over from a hub that was killed' }, words ?? error);
  }
}

/** The next record of the hub's report: a failure of `program`; undefined for one of success, and at the end of the file. */
function readFailure(
  report: number,
  program: EncodedProgram,
): { doing: string; words: string; errno: number } | undefined {
  const record = Buffer.alloc(FAILURE_RECORD_SIZE);
  const length = readSync(report, record);
  const errno = record.readInt32LE(4);
  if (length < FAILURE_RECORD_SIZE || errno === 0) return undefined;
  const step = program.stepOf[record.readUInt32LE(0)];
  if (!step)
    return { doing: 'run the hub’s program', words: `${errnoText(errno)} (${errnoName(errno)})`, errno };
  return { doing: step.why, words: systemWords(step, errno), errno };
}
