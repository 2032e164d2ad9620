/**
 * docs/namespaces: what the chapters tell a reader to paste is pasted, and must answer as they say. In their blocks of console, `$ `
 * begins a command, what follows is its answer, `…` stands for any text on a line, and a line that is `…` for any lines.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BINARY, start, useTsrun } from '../support/tsrun.ts';

const CHAPTERS = join(import.meta.dirname, '..', '..', 'docs', 'namespaces');
const tsrun = useTsrun();

interface Exercise {
  command: string;
  answer: string[];
}

function exercisesOf(text: string): Exercise[] {
  const blocks = [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = '', ...answer] = part.trimEnd().split('\n');
        return { command, answer };
      }),
  );
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
const answerPattern = (answer: readonly string[]): RegExp =>
  new RegExp(
    `^${answer.map((line) => (line === '…' ? '(?:.*\n)*' : `${literally(line).replaceAll('…', '.*')}\n`)).join('')}$`,
  );

async function answerOf(command: string, directory: string): Promise<string> {
  const env = {
    ...tsrun.store.env,
    LC_ALL: 'C',
    PATH: `${dirname(BINARY)}:${process.env.PATH}`,
  };
  const { stdout } = await start('sh', ['-c', `exec 2>&1; ${command}`], { cwd: directory, env }).ended;
  return stdout;
}

describe.each(readdirSync(CHAPTERS).filter((name) => name !== 'README.md'))('%s', (name) => {
  const exercises = exercisesOf(readFileSync(join(CHAPTERS, name), 'utf8'));

  it('has at most 120 lines, and something to do', () => {
    expect(readFileSync(join(CHAPTERS, name), 'utf8').split('\n').length).toBeLessThanOrEqual(121);
    expect(exercises.length).toBeGreaterThan(3);
  });

  it('tells the truth', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tsrun-chapter-'));
    try {
      for (const { command, answer } of exercises) {
        const said = await answerOf(command, directory);
        const whole = said === '' || said.endsWith('\n') ? said : `${said}\n`;
        expect(whole, `$ ${command}`).toMatch(answerPattern(answer));
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
