/**
 * A store on a full file system (a small tmpfs in a mount namespace of the user's own): what must write says so, names the cause, and
 * leaves the store whole; what only reads, stops or removes works; and with room again all is well. Engines have called it an internal
 * error, said nothing, or could not be brought to remove anything while there was no room. At last the same of one that is read-only, as a
 * failing disk becomes: `rmi` called that a bug, and `info` and `inspect`, which write nothing, tried storage drivers there.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { BINARY, useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';

/** `command` → its exit status and what it said. */
const answers = new Map<string, { status: number; text: string }>();

const NEED_ROOM = [
  `run --rm --network none ${IMAGE} true`,
  `create --network none ${IMAGE} true`,
  'commit e localhost/made',
  'load -i image.tar',
  'cp big c:/big',
  'copy docker-archive:image.tar oci:layout',
  'volume create v',
  'network create n',
  `tag ${IMAGE} localhost/other`,
  'rename c d',
];
const NEED_NONE = [
  'exec w echo said',
  'logs --tail 1 w',
  'ps -a',
  'images',
  'system check --quick',
  'stop -t 0 w',
  'rm e',
  'rm -f w',
];
const AFTERWARDS = [`run --rm --network none ${IMAGE} echo room`, 'start c', 'system check', 'rm -f -a'];

const READ_ONLY = ['images', `inspect -f {{.Id}} ${IMAGE}`, 'info', `history ${IMAGE}`, 'system df', 'ps -a'];
const NOT_READ_ONLY = [`rmi ${IMAGE}`, 'volume create x', 'system reset -f', `tag ${IMAGE} localhost/ro`];

/** `unshare --map-current-user` maps one id, so there are no subordinate ones, which /etc/subuid must not promise. */
const SCRIPT = `
S=$XDG_DATA_HOME/tsrun
mkdir -p "$S"
mount --bind /dev/null /etc/subuid && mount --bind /dev/null /etc/subgid || exit 1
mount -t tmpfs -o size=16m,mode=700 none "$S" || exit 1
say() { "$BINARY" $1 >text 2>&1; printf '%s\\036%s\\036%s\\037' "$1" $? "$(cat text)"; }
quietly() { "$BINARY" "$@" >/dev/null 2>&1; }
quietly create --name c --network none ${IMAGE} true
quietly run --name e --network none ${IMAGE} sh -c 'echo kept >/file'
quietly run -d --name w --network none ${IMAGE} sh -c 'while :; do seq 1 1000; sleep 0.1; done'
quietly save -o image.tar ${IMAGE}
head -c 3000000 /dev/zero >big
cat /dev/zero >"$S/filler" 2>/dev/null
${[...NEED_ROOM, ...NEED_NONE].map((words) => `say '${words}'`).join('\n')}
say 'system check --quick=false'
rm -f "$S/filler"
${AFTERWARDS.map((words) => `say '${words}'`).join('\n')}
printf 'left\\0360\\036%s\\037' "$(ls "$S/tmp" "$S/names" "$S/containers" | grep -v :)"
rm "$S/storage-driver.json"
mount -o remount,ro "$S" || exit 1
${[...READ_ONLY, ...NOT_READ_ONLY].map((words) => `say '${words}'`).join('\n')}
mount -o remount,rw "$S" || exit 1
say 'system reset --force'
printf 'left at last\\0360\\036%s\\037' "$(ls -A "$S")"
`;

beforeAll(async () => {
  const { directory, env } = tsrun.store;
  const file = join(directory, 'script');
  writeFileSync(file, SCRIPT);
  // Whatever still runs ends with the script, by the end of a pid namespace.
  const own = ['--pid', '--fork', '--mount-proc', '--kill-child'];
  const namespaces = ['--map-current-user', '--mount', ...own, '--keep-caps'];
  const child = spawn('unshare', [...namespaces, 'sh', file], {
    cwd: directory,
    env: { ...env, BINARY },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  for (const record of printed.split('\x1f').slice(0, -1)) {
    const [command = '', status, text = ''] = record.split('\x1e');
    answers.set(command, { status: Number(status), text });
  }
});

const answer = (command: string) => answers.get(command) ?? { status: -1, text: 'was not reached' };
/** It succeeded, and an `echo` in a container was heard. */
function expectSuccess(command: string): void {
  const { status, text } = answer(command);
  expect(status, text).toBe(0);
  const [, word] = / echo (\w+)$/.exec(command) ?? [];
  if (word !== undefined) expect(text.split('\n')).toContain(word);
}

describe('without room', () => {
  it.each(NEED_ROOM)('%s: says that there is none', (command) => {
    const { status, text } = answer(command);
    expect(text).toMatch(/no space left|no space is left/i);
    expect(text).not.toContain('bug in tsrun');
    expect(status).toBe(125);
  });

  // It spoke of a layer and of `tsrun rmi`.
  it('cp says which file it was that could not be copied', () => {
    expect(answer('cp big c:/big').text).toMatch(/^tsrun: cannot copy big: write failed \(ENOSPC\)$/m);
  });

  it.each(NEED_NONE)('%s: works', expectSuccess);

  // A layer is compared with its archive by unpacking that beside: the check ended there, and told of nothing that came after.
  it('system check looks at all that it can, and says what it could not', () => {
    const { status, text } = answer('system check --quick=false');
    expect(text).toMatch(/layer .*could not be compared with its archive: .*no space left/);
    expect(text).toMatch(/^looked at .*blobs, .*images, .*layers, .*containers/m);
    expect(status).toBe(125);
  });
});

describe('with room again', () => {
  it.each(AFTERWARDS)('%s: works', expectSuccess);

  it('nothing is left of what failed', () => {
    expect(answer('left').text.trim()).toBe('');
    expect(answer('system check').text).toMatch(/: no damage$/);
  });
});

describe('that is read-only', () => {
  it.each(READ_ONLY)('%s: works', expectSuccess);

  it.each(NOT_READ_ONLY)('%s: says that it is', (command) => {
    const { status, text } = answer(command);
    expect(text).toMatch(/read-only file system/i);
    expect(text).not.toContain('bug in tsrun');
    expect(status).toBe(125);
  });
});

// The file system stays where it is mounted: that its directory cannot be removed was "a bug in tsrun: EBUSY".
it('reset leaves a file system of its own empty', () => {
  expectSuccess('system reset --force');
  expect(answer('left at last').text).toBe('');
});
