/** Where policy.json is: what --signature-policy names, else the user's, else the system's (containers-policy.json(5)). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../../errors.ts';
import { homeDirectory } from '../../sys/home-directory.ts';
import { type Policy, parsePolicy } from './policy-document.ts';

const SYSTEM = '/etc/containers/policy.json';

/** Undefined when it is not there. A file that is there and cannot be read must not count as none. */
function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw tsrunError('ERR_TSRUN_POLICY', { file, problem: 'it cannot be read' }, error);
  }
}

/** The user's own file, whether it is there or not. */
export const ownPolicyFile = (environment: NodeJS.ProcessEnv): string =>
  join(homeDirectory(environment), '.config', 'containers', 'policy.json');

/** The file that counts, with its text: `given`, else the user's, else the system's. Throws ERR_TSRUN_POLICY. */
export function findPolicy(
  given: string | undefined,
  environment: NodeJS.ProcessEnv,
): { file: string; text: string } | undefined {
  for (const file of given === undefined ? [ownPolicyFile(environment), SYSTEM] : [given]) {
    const text = readIfPresent(file);
    if (text !== undefined) return { file, text };
  }
  if (given === undefined) return undefined;
  throw tsrunError('ERR_TSRUN_POLICY', { file: given, problem: 'it is not there' });
}

/** Undefined when there is none: then every image may be used. Throws ERR_TSRUN_POLICY. */
export function readPolicy(given: string | undefined, environment: NodeJS.ProcessEnv): Policy | undefined {
  const found = findPolicy(given, environment);
  return found && parsePolicy(found.text, found.file);
}
