/** What the supervisor does for a container besides holding its streams. */
import { parseRestartPolicy } from '../parse/restart-policy.ts';
import { usageError } from '../parse/usage.ts';
import { type Values, value } from './option.ts';

export const SUPERVISION_OPTIONS = {
  restart: value(
    'POLICY',
    'Start it again when it ends: no, on-failure[:TIMES], always or unless-stopped; after a pause that doubles from 0.1 s to 1 min, and not ' +
      'after `tsrun stop` or `tsrun kill`',
    parseRestartPolicy,
    { default: 'no', example: '--restart on-failure:5' },
  ),
};

type Given = Values<typeof SUPERVISION_OPTIONS> & { rm: boolean };

/** Throws ERR_TSRUN_USAGE. */
export function refuseContradictions(given: Given): void {
  if (given.rm && given.restart) {
    throw usageError(
      `--rm and --restart ${given.restart.name} contradict each other: a container that is removed cannot be started again`,
      'leave one of the two out',
    );
  }
}
