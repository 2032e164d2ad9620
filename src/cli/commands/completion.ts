import { defineCommand } from '../command.ts';
import { complete } from '../completion/candidates.ts';
import { liveNames } from '../completion/live-names.ts';
import { SCRIPTS, SHELLS, type Shell } from '../completion/scripts.ts';
import { print } from '../output.ts';
import { closest } from '../parse/closest.ts';
import { usageError } from '../parse/usage.ts';

export const COMPLETION = defineCommand({
  usage: `${SHELLS.join('|')}`,
  operands: [1, Number.POSITIVE_INFINITY],
  text:
    'Prints a script that makes a shell complete the words of tsrun: commands, options, and the names of containers, images, volumes ' +
    'and networks that there are at that moment. The script calls `tsrun completion words -- WORD…`, which prints what the last word ' +
    'may become.',
  options: {},
  optionsEndAtOperand: true,
  examples: [
    'source <(tsrun completion bash)',
    'tsrun completion bash >~/.local/share/bash-completion/completions/tsrun',
    'tsrun completion fish >~/.config/fish/completions/tsrun.fish',
  ],
  async run(_given, [shell = '', ...words], context) {
    if (shell === 'words') {
      const { candidates, files } = await complete(
        words[0] === '--' ? words.slice(1) : words,
        liveNames(context),
      );
      const lines = candidates.map(({ text, about }) => (about === undefined ? text : `${text}\t${about}`));
      print([...lines, ...(files ? [':files'] : [])].map((line) => `${line}\n`).join(''));
      return 0;
    }
    const known = (SHELLS as readonly string[]).includes(shell);
    if (!known || words.length > 0) {
      const near = closest(shell, [...SHELLS]) ?? 'bash';
      throw usageError(
        `there is no completion for "${[shell, ...words].join(' ')}"`,
        `tsrun completion ${near}`,
      );
    }
    print(SCRIPTS[shell as Shell]);
    return 0;
  },
});
