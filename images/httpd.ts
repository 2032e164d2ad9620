/**
 * `httpd`: busybox's web server with one page, so that `tsrun run -p 8000:80 httpd` works where no registry is in reach. Called as
 * Docker's `httpd` image is: `httpd-foreground`, the log on stderr.
 */
import { BUSYBOX_ENV, busyboxLayer } from './busybox.ts';
import type { Recipe } from './oci-layout.ts';
import { directory, file } from './tar-archive.ts';

const PAGE = '<html><body><h1>It works!</h1></body></html>\n';

/**
 * Process 1 of a pid namespace gets no signal that it does not handle, and busybox httpd handles none: SIGTERM would do nothing until
 * `stop` loses its patience. So the shell stays process 1, and ends the server when it is told to.
 */
const FOREGROUND = `#!/bin/sh
trap 'kill "$server"; exit 0' TERM INT
httpd -f -v -p 80 -h /var/www &
server=$!
wait "$server"
`;

export const httpd = (): Recipe => ({
  name: 'httpd',
  layers: [
    busyboxLayer(),
    {
      comment: 'httpd: a page, and the server in the foreground',
      entries: [
        directory('usr/local/bin'),
        file('usr/local/bin/httpd-foreground', FOREGROUND, { mode: 0o755 }),
        directory('var/www'),
        file('var/www/index.html', PAGE),
      ],
    },
  ],
  config: {
    Env: BUSYBOX_ENV,
    Cmd: ['httpd-foreground'],
    ExposedPorts: { '80/tcp': {} },
    WorkingDir: '/var/www',
  },
});
