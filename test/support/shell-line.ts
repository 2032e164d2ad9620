/** Lines of a shell, for what only a shell does: redirections, pipes, `exec`. */
import { BINARY, type Result, start, type Tsrun } from './tsrun.ts';

/** Runs a line in `directory`; `tsrun ` in it is the one under test. */
export function shellLine(tsrun: Tsrun, directory: string, line: string): Promise<Result> {
  const script = line.replaceAll('tsrun ', '"$TSRUN" ');
  const env = { ...tsrun.store.env, TSRUN: BINARY };
  return start('sh', ['-c', script], { env, cwd: directory }).ended;
}
