/**
 * A systemd user unit that runs a container which is there already.
 *
 * The unit's main process is `tsrun start --attach`: it passes systemd's signals on, ends with the command's own exit status, so that
 * `Restart=on-failure` means what it says, and what the container writes is in the journal. A supervisor alone would be smaller, but
 * systemd could not learn from it how the command ended.
 */

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
}

/** A word of an Exec line (systemd.service(5), "Command lines"): in quotes where it has to be; % and $ stand for themselves. */
export function unitWord(word: string): string {
  const text = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, (c) => `\\${c}`)}"`;
}

/** systemd's own time for stopping is longer than tsrun's, or it would kill tsrun while that waits. */
const STOP_MARGIN_SECONDS = 20;

export function systemdUnit(request: UnitRequest): string {
  const { container, description, storeRoot, restartPolicy, stopTimeout } = request;
  const command = (...words: string[]): string => [...request.tsrun, ...words].map(unitWord).join(' ');
  return `# Made by tsrun generate systemd. Put it into ~/.config/systemd/user/, then:
#   systemctl --user daemon-reload && systemctl --user enable --now UNIT
# To have it run without a login: loginctl enable-linger

[Unit]
Description=${description.replaceAll('%', '%%')}
Wants=network-online.target
After=network-online.target
RequiresMountsFor=${unitWord(storeRoot)}

[Service]
Type=exec
# So that the container can have limits: its cgroup is made below the unit's.
Delegate=yes
ExecStart=${command('start', '--attach', container)}
ExecStop=${command('stop', '--time', String(stopTimeout), container)}
Restart=${restartPolicy}
TimeoutStopSec=${stopTimeout < 0 ? 'infinity' : stopTimeout + STOP_MARGIN_SECONDS}
# tsrun passes SIGTERM on to the container; nobody else is to get it.
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
