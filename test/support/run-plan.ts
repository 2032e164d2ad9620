/** Executes the programs of a plan, in a directory of its own: what `tsrun run` does with them, without its store. */
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { planSupervisor } from '../../src/engine/launch-supervisor.ts';
import { numberSteps } from '../../src/explain/numbered-steps.ts';
import { ProgramTrace, type TraceEvent } from '../../src/explain/trace.ts';
import { awaitExecve, type Rootless, runEntry } from '../../src/rootless/enter.ts';
import { SupervisorClient } from '../../src/supervisor/client.ts';
import type { ExitStatus } from '../../src/supervisor/exit-status.ts';
import { FD_TRACE } from '../../src/supervisor/protocol.ts';
import { encodeSpec } from '../../src/supervisor/spec.ts';
import { type EncodedProgram, encodeProgram } from '../../src/sys/encode.ts';
import { currentBootId } from '../../src/sys/process.ts';
import type { Program } from '../../src/sys/step.ts';

export interface Outcome {
  output: string;
  status: ExitStatus | undefined;
  /** What both programs executed, each in its order. */
  events: { user: TraceEvent[]; supervisor: TraceEvent[] };
}

/** @param directory for the container's records; made here */
export async function runPlan(rootless: Rootless, program: Program, directory: string): Promise<Outcome> {
  mkdirSync(directory);
  const files = ['user', 'supervisor'].map((name) => join(directory, `${name}.trace`)) as [string, string];
  const [userFd, supervisorFd] = files.map((file) => openSync(file, 'a')) as [number, number];
  const start = encodeProgram(program);
  start.image.writeInt32LE(FD_TRACE, 24);
  const spec = encodeSpec({
    start: start.image,
    bootId: currentBootId(),
    attach: { stdin: false, stdout: true, stderr: true },
  });
  const launch = planSupervisor({
    rootless,
    spec,
    directory,
    runtimeDirectory: undefined,
    traceFd: supervisorFd,
    extra: [],
    before: () => [],
  });
  const user = encodeProgram(launch);
  const results = runEntry(launch, user, userFd);
  awaitExecve(launch, user, results);
  for (const slot of [launch.pidfd, launch.reportRead, launch.helperOutput]) {
    if (results(slot) >= 0) closeSync(results(slot));
  }
  const { output, status } = await conversation(SupervisorClient.afterStart(results(launch.client), false));
  for (const fd of [userFd, supervisorFd]) closeSync(fd);
  const numbered = numberSteps([launch, program]);
  const read = (encoded: EncodedProgram, i: 0 | 1): TraceEvent[] =>
    new ProgramTrace(encoded, numbered[i] ?? []).push(readFileSync(files[i]));
  return { output, status, events: { user: read(user, 0), supervisor: read(start, 1) } };
}

async function conversation(client: SupervisorClient): Promise<Pick<Outcome, 'output' | 'status'>> {
  let output = '';
  let status: ExitStatus | undefined;
  for (let message = await client.next(); message; message = await client.next()) {
    if (message.type === 'stdout' || message.type === 'stderr') output += message.bytes.toString();
    if (message.type === 'exit') status = message.status;
    if (message.type === 'failed')
      output += `failed at op ${message.op}: errno ${message.errno} ${message.words}`;
  }
  client.close();
  return { output, status };
}
