/**
 * attach-to-socket.ts SOCKET OPTIONS - attaches to the supervisor at SOCKET as `tsrun run` does, and exits as its command did. OPTIONS is
 * JSON: `stdin`, `tty`.
 */
import { Foreground } from '../../../src/cli/attach/foreground.ts';
import { exitCode } from '../../../src/cli/exit-status.ts';
import { exitCodeOf, renderError } from '../../../src/cli/render-error.ts';
import { SupervisorClient } from '../../../src/supervisor/client.ts';

const [path = '', json = '{}'] = process.argv.slice(2);
const { stdin = false, tty = false } = JSON.parse(json) as { stdin?: boolean; tty?: boolean };
const streams = { stdin, stdout: true, stderr: true };

using foreground = await Foreground.open({ streams, tty, detachKeys: undefined, sigProxy: true });
const client = await SupervisorClient.connect(path);
try {
  const end = await foreground.relay(client, process.pid, 'web');
  if (end.kind === 'broken-pipe') process.exit(141);
  if (end.kind === 'exit') process.exit(exitCode(end.status, 'web'));
  process.stdout.write(end.kind);
} catch (error) {
  process.stderr.write(renderError(error, { debug: false }));
  process.exit(exitCodeOf(error));
}
