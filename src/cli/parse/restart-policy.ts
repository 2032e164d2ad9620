import type { RestartPolicy } from '../../store/container-record.ts';
import { usageError } from './usage.ts';

export const RESTART_POLICIES = [
  'no',
  'on-failure',
  'always',
  'unless-stopped',
] as const satisfies RestartPolicy['name'][];

/** `on-failure:5`; undefined for `no`. Throws ERR_TSRUN_USAGE. */
export function parseRestartPolicy(text: string): RestartPolicy | undefined {
  const [written = '', count] = text.split(':', 2);
  const name = RESTART_POLICIES.find((known) => known === written);
  const isCount = count === undefined || (name === 'on-failure' && /^\d{1,9}$/.test(count));
  if (name === undefined || !isCount || text.split(':').length > 2) {
    throw usageError(
      `--restart ${text}: not one of ${RESTART_POLICIES.join(', ').replace('failure', 'failure[:TIMES]')}`,
      '--restart on-failure:5',
    );
  }
  return name === 'no' ? undefined : { name, maximumRetryCount: Number(count ?? 0) };
}
