/**
 * A health check: one more process in the container, as `exec` makes it, but made by the container's own supervisor, which has the init's
 * pidfd in a slot before it runs this.
 *
 * A process is born in the pid namespace that its parent has chosen by setns(2), and an ordinary user's supervisor that went into the
 * container's could not come back to the host's (pid_namespaces(7)). So a process in between goes, and gives birth with CLONE_PARENT to a
 * child of the supervisor:
 *
 *     supervisor                    in between (same memory)          the check
 *       | clone3(VM, VFORK) ───────► |
 *       | sleeps                     | setns(target, pid)
 *       |                            | clone3(PARENT) ────────────────► |   its pid, as the host sees it, is in the slot
 *       | goes on ◄───────────────── | exit                             | waits for GO, joins the container, execve
 *       | its child now: ──────────────────────────────────────────────►|
 */
import type { RuntimeConfig } from '../spec/runtime.ts';
import { call, close, op, pipe } from '../sys/calls.ts';
import {
  CLONE_NEWPID,
  CLONE_PARENT,
  CLONE_VFORK,
  CLONE_VM,
  O_CLOEXEC,
  O_NONBLOCK,
  SIGCHLD,
} from '../sys/constants.ts';
import { type Program, Slots } from '../sys/step.ts';
import { execSteps, hasPidNamespace } from './exec-program.ts';
import type { InitContext } from './init-program.ts';
import { FIRST_FREE, SUPERVISOR_SLOTS } from './start-program.ts';

export interface HealthOptions extends Pick<InitContext, 'canSetGroups' | 'filterCache' | 'cgroups'> {
  /** The container's configuration, its process that of the check. */
  config: RuntimeConfig;
}

/** Stdout and stderr of the check are one pipe. */
export function healthProgram(options: HealthOptions): Program {
  const slots = new Slots(FIRST_FREE);
  const s = SUPERVISOR_SLOTS;
  const output = slots.new('output.w');
  const report = slots.new('report.w');
  const barrier = slots.new('go.r');
  const streams = { stdout: output, stderr: output };
  const check = execSteps({ ...options, initPidfd: s.target }, { slots, streams, report, barrier });
  const notHeldBack = close('container', 'see the end of the pipe if the supervisor is killed', s.go);
  const between = [
    op('rootless', 'say which step failed', { kind: 'report', fd: report }),
    ...(hasPidNamespace(options.config)
      ? [
          call('rootless', 'the next child is born in the container’s pid namespace', 'setns', [
            s.target,
            CLONE_NEWPID,
          ]),
        ]
      : []),
    op(
      'rootless',
      'make the check’s process, a child of the supervisor',
      { kind: 'clone', flags: CLONE_PARENT, exitSignal: 0, child: [notHeldBack, ...check] },
      { result: s.initPid },
    ),
  ];
  return {
    slots,
    steps: [
      pipe('supervisor', 'what the check says', s.stdout, output, O_CLOEXEC),
      pipe('supervisor', 'learn which step fails, if one does', s.report, report, O_CLOEXEC | O_NONBLOCK),
      pipe('supervisor', 'hold the check back until it is known', barrier, s.go, O_CLOEXEC),
      op('supervisor', 'somebody who may choose where a child is born', {
        kind: 'clone',
        flags: CLONE_VM | CLONE_VFORK,
        exitSignal: SIGCHLD,
        child: between,
      }),
      ...[output, report, barrier].map((end) => close('supervisor', 'only the check uses it', end)),
    ],
  };
}
