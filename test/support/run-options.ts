import { expect } from 'vitest';
import type { Tsrun } from './tsrun.ts';

/** Ways to see from inside a new container of `image` what options of `run` have done. */
export function useRunOptions(tsrun: Tsrun, image: string) {
  /** Standard output of a command in a new container. */
  const inside = (options: readonly string[], ...command: string[]): Promise<string> => {
    const network = options.includes('--network') ? [] : ['--network', 'none'];
    return tsrun.ok('run', '--rm', ...network, ...options, image, ...command);
  };
  const sh = (options: readonly string[], script: string): Promise<string> =>
    inside(options, 'sh', '-c', script);
  /** The words of a refusal. */
  const refused = async (...words: string[]): Promise<string> => {
    const { stderr, stdout } = await tsrun.expect(125, ['run', '--rm', '--network', 'none', ...words]);
    expect(stdout).toBe('');
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(4);
    return stderr;
  };
  return { inside, sh, refused };
}
