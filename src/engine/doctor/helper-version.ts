/** What a helper says of itself. */
import type { HostView } from './host-view.ts';

/** `1.2.0`, or pasta's date `2023_03_29`; "of unknown version" when it does not say (Debian 12's pasta). */
export function helperVersion(host: HostView, command: string): string {
  const { stdout, stderr } = host.run([command, '--version']);
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.includes(command));
  for (const line of lines) {
    const version = /\b(\d+[._]\d+[\w.-]*)/.exec(line)?.[1];
    if (version) return version;
  }
  return 'of unknown version';
}
