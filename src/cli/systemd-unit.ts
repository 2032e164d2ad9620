/**
 * A systemd user unit that runs a container which is there already.
 *
 * `tsrun start` is gone when the container runs: the unit's main process is then its supervisor (engine/service-manager.ts), which takes less than
 * 100 KiB, and ends with the command's own exit status, so that `Restart=on-failure` means what it says.
 */
import type { NotifyMode } from '../store/container-record.ts';

export interface UnitRequest {
  /** Name or id, as the unit's commands use it. */
  container: string;
  description: string;
  /** The launcher, and options that come before the command. */
  tsrun: readonly string[];
  /** Where the store is: mounted before the unit starts. */
  storeRoot: string;
  restartPolicy: string;
  /** Seconds between SIGTERM and SIGKILL; -1 = for ever. */
  stopTimeout: number;
  /** Its number. */
  stopSignal: number;
  /** Who says that the container is ready; absent: it is when it runs. */
  sdnotify: NotifyMode | undefined;
  /** Other units: systemd.unit(5). */
  after: readonly string[];
  wants: readonly string[];
  requires: readonly string[];
  /** Seconds from an end to the next start; undefined = systemd's own. */
  restartSeconds: number | undefined;
  /** As START_SECONDS. */
  startSeconds: number | undefined;
  /** With a comment on top that says what to do with it. */
  header: boolean;
}

/** A word of an Exec line (systemd.service(5), "Command lines"): in quotes where it has to be; % and $ stand for themselves. */
export function unitWord(word: string): string {
  const text = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, (c) => `\\${c}`)}"`;
}

/** systemd's own time for stopping is longer than tsrun's, or it would kill tsrun while that waits. */
const STOP_MARGIN_SECONDS = 20;

/** As long as a service may take to be well. */
const START_SECONDS = 300;

const HEADER = `# Made by tsrun generate systemd. Put it into ~/.config/systemd/user/, then:
#   systemctl --user daemon-reload && systemctl --user enable --now UNIT
# To have it run without a login: loginctl enable-linger
# What it writes: tsrun logs; in the journal if the container was made with --log-driver journald.

`;

/** Of what has nothing to say to systemd, that it runs is all there is to know. */
const sdnotify = ({ sdnotify }: UnitRequest): string[] =>
  sdnotify === undefined || sdnotify === 'ignore' ? ['--sdnotify', 'conmon'] : [];

export function systemdUnit(request: UnitRequest): string {
  const { container, description, storeRoot, restartPolicy, stopTimeout } = request;
  const command = (...words: string[]): string => [...request.tsrun, ...words].map(unitWord).join(' ');
  const stop = command('stop', '--time', String(stopTimeout), container);
  const requires = request.requires.length > 0 ? `Requires=${request.requires.join(' ')}\n` : '';
  const pause = request.restartSeconds === undefined ? '' : `RestartSec=${request.restartSeconds}\n`;
  return `${request.header ? HEADER : ''}[Unit]
Description=${description.replaceAll('%', '%%')}
Wants=${['network-online.target', ...request.wants].join(' ')}
After=${['network-online.target', ...request.after].join(' ')}
${requires}RequiresMountsFor=${unitWord(storeRoot)}

[Service]
Type=notify
# The supervisor of the container speaks for it.
NotifyAccess=all
# So that the container can have limits: its cgroup is made below the unit's.
Delegate=yes
# One that runs already is started anew: it is to be a process of the unit.
ExecStartPre=${stop}
ExecStart=${command('start', ...sdnotify(request), container)}
ExecStop=${stop}
Restart=${restartPolicy}
${pause}# Ended by the signal that ExecStop sends.
SuccessExitStatus=${128 + request.stopSignal}
# What a start waits for, a health check say, may take its time.
TimeoutStartSec=${request.startSeconds ?? START_SECONDS}
TimeoutStopSec=${stopTimeout < 0 ? 'infinity' : stopTimeout + STOP_MARGIN_SECONDS}
# ExecStop ends it; the supervisor ignores SIGTERM, and nobody else is to get it.
KillMode=mixed

[Install]
WantedBy=default.target
`;
}

/** Seconds for stopping all containers at once, each within its own time. */
const STOP_ALL_SECONDS = 150;

/**
 * The unit of no container: at the start of the user's manager, which is that of the machine for a user who lingers, it starts the containers
 * whose restart policy says so, as dockerd does. A failing one must not be the unit's end, with which systemd would end the others: hence the
 * minus sign (systemd.service(5)).
 */
export function restartUnit({ tsrun, storeRoot }: Pick<UnitRequest, 'tsrun' | 'storeRoot'>): string {
  const command = (...words: string[]): string => [...tsrun, ...words].map(unitWord).join(' ');
  const those = ['--filter', 'restart-policy=always', '--filter', 'restart-policy=unless-stopped'];
  return `# Made by tsrun generate systemd --restart-service. Put it into ~/.config/systemd/user/${RESTART_UNIT}, then:
#   systemctl --user daemon-reload && systemctl --user enable ${RESTART_UNIT} && loginctl enable-linger

[Unit]
Description=Containers of tsrun whose restart policy is always or unless-stopped
Wants=network-online.target
After=network-online.target
RequiresMountsFor=${unitWord(storeRoot)}

[Service]
Type=oneshot
RemainAfterExit=yes
Delegate=yes
ExecStart=-${command('start', '--all', ...those)}
ExecStop=-${command('stop', '--all', ...those)}
TimeoutStartSec=infinity
TimeoutStopSec=${STOP_ALL_SECONDS}

[Install]
WantedBy=default.target
`;
}

export const RESTART_UNIT = 'tsrun-restart.service';
