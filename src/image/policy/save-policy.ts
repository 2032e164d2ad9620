/** Writing the user's policy.json. */
import { tsrunError } from '../../errors.ts';
import { changeSharedFile } from '../../sys/change-shared-file.ts';
import { findPolicy, ownPolicyFile } from './read-policy.ts';

/** podman and skopeo read it too. */
const MODES = { file: 0o644, directory: 0o755 };

/**
 * Changes the policy that counts for this user; the result is the user's own file, which counts from then on. @returns its path
 * @throws ERR_TSRUN_POLICY, also when it cannot be written, and what `change` throws
 */
export function changePolicy(
  environment: NodeJS.ProcessEnv,
  change: (text: string | undefined, file: string) => string,
): string {
  const own = ownPolicyFile(environment);
  try {
    changeSharedFile(own, MODES, () => {
      const found = findPolicy(undefined, environment);
      return change(found?.text, found?.file ?? own);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw tsrunError('ERR_TSRUN_POLICY', { file: own, problem: 'it cannot be written' }, error);
  }
  return own;
}
