/**
 * A user at a real terminal, which is tmux: an editor, a full-screen monitor and a shell with job control run in a container as they do
 * outside. script(1), which other tests use, hands bytes on without looking at them; here what counts is what is on the screen.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Tmux } from '../support/tmux.ts';
import { BINARY, useTsrun } from '../support/tsrun.ts';

const tsrun = useTsrun();
const IMAGE = 'localhost/busybox';
let tmux: Tmux;

beforeAll(async () => {
  const { directory, env } = tsrun.store;
  await tsrun.ok('run', '--rm', '--network', 'none', IMAGE, 'true');
  const command = `env PS1='outside> ' ENV= sh`;
  tmux = new Tmux({ directory, env, columns: 80, rows: 24, command });
  await tmux.waitFor(/outside> *$/);
});
afterAll(() => tmux?.[Symbol.dispose]());

/** Types a command of which the answer, unlike the typed line, begins with `=`. */
async function ask(command: string, answer: RegExp): Promise<void> {
  tmux.enter(command);
  await tmux.waitFor(answer);
}

it('a shell begins, with the size of the window', async () => {
  tmux.enter('a=$(stty -g)');
  tmux.enter(`clear; ${BINARY} run -it --name t --network none -e PS1='inside> ' ${IMAGE} sh`);
  await tmux.waitFor(/inside> *$/);
  await ask('echo "=$(stty size)"', /^=24 80$/m);
});

it('the window changes its size', async () => {
  tmux.resize(100, 30);
  await ask('until [ "$(stty size)" = "30 100" ]; do sleep 0.1; done; echo "=$(stty size)"', /^=30 100$/m);
});

it('vi fills the screen, follows its size, and writes what is typed', async () => {
  tmux.enter('vi /tmp/letter');
  await tmux.waitFor(/^(~\n){20,}/m);
  tmux.type('ia first line');
  tmux.press('Enter');
  tmux.type('a second');
  tmux.press('Escape');
  await tmux.waitFor(/^a first line\na second\n~/m);
  tmux.resize(60, 15);
  // Lines and status line: the whole window, and no more.
  await tmux.waitFor(/^a first line\na second\n(~\n){12}- .*letter/);
  tmux.press('k', '0');
  tmux.type('cwthe');
  tmux.press('Escape');
  await tmux.waitFor(/^the first line\n[\s\S]*\n- /); // or the colon would belong to the escape
  tmux.enter(':wq');
  await tmux.waitFor(/inside> *$/);
  await ask('sed s/^/=/ /tmp/letter', /^=the first line\n=a second$/m);
});

it('top shows the processes of the container again and again, until q', async () => {
  tmux.resize(80, 24);
  tmux.enter('top -d 1');
  // It draws anew each second, piece by piece: all of it is to be there at one time.
  await tmux.waitFor(/Mem: [\s\S]*PID +PPID +USER(?=[\s\S]* top)[\s\S]* 1 +0 +root .* sh$/m);
  tmux.press('q');
  await tmux.waitFor(/inside> *$/);
  tmux.enter('clear');
});

it('job control: ^Z stops, bg and fg go on, ^C ends', async () => {
  tmux.enter('sleep 1000');
  await tmux.pressUntil('C-z', /Stopped +sleep 1000/);
  await ask('jobs | sed s/^/=/', /^=\[1\].*Stopped/m);
  tmux.enter('bg');
  await ask('jobs | sed s/^/==/', /^==\[1\].*Running/m);
  tmux.enter('fg');
  await tmux.waitFor(/^sleep 1000$/m);
  await tmux.pressUntil('C-c', /^sleep 1000\n\^C[\s\S]*inside> *$/m);
  // A signal to tsrun itself would have ended or stopped it. Each command says another word: that of the one before may still be on the screen.
  for (const [key, answer, word] of [
    ['C-c', /^=130$/m, 'one'],
    ['C-\\', /^=131$/m, 'two'],
    ['C-d', /^=0$/m, 'three'],
  ] as const) {
    tmux.enter(`clear; sh -c "echo =${word}; exec cat"`);
    await tmux.waitFor(new RegExp(`^=${word}$`, 'm'));
    tmux.press(key);
    await tmux.waitFor(/inside> *$/);
    await ask('echo "=$?"', answer);
  }
});

it('ctrl-p ctrl-q leaves it, and attach comes back to the same shell', async () => {
  tmux.enter('clear; kept=yes');
  tmux.press('C-p', 'C-q');
  await tmux.waitFor(/outside> *$/);
  expect(await tsrun.ok('ps', '--format', '{{.Names}}')).toBe('t');
  tmux.resize(90, 20);
  tmux.enter(`clear; ${BINARY} attach t`);
  tmux.press('Enter');
  await tmux.waitFor(/inside> *$/);
  await ask('echo "=$kept $(stty size)"', /^=yes 20 90$/m);
});

it('an exec beside it has a terminal of its own', async () => {
  tmux.press('C-p', 'C-q');
  await tmux.waitFor(/outside> *$/);
  tmux.enter(`clear; ${BINARY} exec -it -e PS1='second> ' t sh`);
  await tmux.waitFor(/second> *$/);
  await ask('echo "=$(tty) $(stty size)"', /^=\/dev\/pts\/1 20 90$/m);
  tmux.enter('exit 6');
  await tmux.waitFor(/outside> *$/);
  await ask('echo "=$?"', /^=6$/m);
});

it('the shell’s status is tsrun’s, and the terminal is as it was', async () => {
  tmux.enter(`clear; ${BINARY} attach t`);
  tmux.press('Enter');
  await tmux.waitFor(/inside> *$/);
  tmux.enter('exit 5');
  await tmux.waitFor(/outside> *$/);
  await ask('echo "=$?"', /^=5$/m);
  await ask('[ "$a" = "$(stty -g)" ] && echo "=same" || echo "=other"', /^=(same|other)$/m);
  expect(tmux.screen()).toContain('=same');
});
