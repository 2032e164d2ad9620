import { newRootless, runInside } from '../rootless/enter.ts';
import { NamespaceFailure } from '../rootless/namespace-failure.ts';
import { call } from '../sys/calls.ts';
import { systemWords } from '../sys/run.ts';

/**
 * Makes a user namespace the way a start does, mount included: on hosts that restrict them the namespace itself can be made, and it is
 * the first use of its capabilities that fails.
 */
export function tryUserNamespace(): { ok: true } | { ok: false; words: string } {
  try {
    runInside({ ...newRootless(), holder: undefined }, () => [
      call('rootless', 'make a mount in the namespace', 'mount', ['none', '/tmp', 'tmpfs', 0, 0]),
    ]);
    return { ok: true };
  } catch (error) {
    if (!(error instanceof NamespaceFailure)) throw error;
    const words = systemWords(error.failure.step, error.failure.errno);
    return { ok: false, words: error.helperOutput ? `${error.helperOutput} (${words})` : words };
  }
}
