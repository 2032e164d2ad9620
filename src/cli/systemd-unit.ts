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
