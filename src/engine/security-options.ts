/** `--cap-add`, `--cap-drop`, `--privileged`, `--security-opt`: what a container's processes may do. */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { tsrunError } from '../errors.ts';
import { applyCapAddDrop, CAPABILITIES, DEFAULT_CAPABILITIES } from '../launch/capabilities.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from '../launch/masked-paths.ts';
import { defaultProfile } from '../launch/seccomp/default-profile.ts';
import { loadSeccompProfile } from '../launch/seccomp/load-profile.ts';
import type { CapabilitySets, Seccomp } from '../spec/runtime.ts';
import type { Architecture } from '../sys/syscall-numbers.ts';
import type { CreateRequest } from './request.ts';

export interface Security {
  capabilities: CapabilitySets;
  seccomp: Seccomp | undefined;
  noNewPrivileges: boolean;
  maskedPaths: readonly string[];
  readonlyPaths: readonly string[];
}

type Request = Pick<CreateRequest, 'capAdd' | 'capDrop' | 'privileged' | 'securityOpt'>;

/**
 * @param uid of the command: only root holds capabilities at once. Another user gets those that --cap-add names, as ambient ones.
 * @throws ERR_TSRUN_USAGE, ERR_TSRUN_SECCOMP_PROFILE
 */
export function security(request: Request, uid: number): Security {
  const bounding = request.privileged
    ? [...CAPABILITIES]
    : applyCapAddDrop(request.capAdd, request.capDrop, DEFAULT_CAPABILITIES);
  const added = request.privileged ? [] : bounding.filter((name) => !DEFAULT_CAPABILITIES.includes(name));
  const effective = uid === 0 ? bounding : added;
  const ambient = uid === 0 ? [] : added;
  const options = parseSecurityOptions(request.securityOpt);
  return {
    capabilities: { bounding, effective, permitted: effective, inheritable: ambient, ambient },
    seccomp: request.privileged && !options.seccomp ? undefined : seccompProfile(options.seccomp, bounding),
    noNewPrivileges: options.noNewPrivileges,
    maskedPaths: [
      ...new Set([...visible(request.privileged, options, DEFAULT_MASKED_PATHS), ...options.mask]),
    ],
    readonlyPaths: visible(request.privileged, options, DEFAULT_READONLY_PATHS),
  };
}

interface SecurityOptions {
  seccomp: string | undefined;
  noNewPrivileges: boolean;
  /** Paths, or `ALL`. */
  unmask: string[];
  mask: string[];
}

/** What stays hidden of `paths`. A `*` in an unmasked path stands for anything but a slash. */
function visible(privileged: boolean, { unmask }: SecurityOptions, paths: readonly string[]): string[] {
  if (privileged || unmask.includes('ALL')) return [];
  const patterns = unmask.map(
    (text) => new RegExp(`^${text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')}$`),
  );
  return paths.filter((path) => !patterns.some((pattern) => pattern.test(path)));
}

/** Of SELinux and AppArmor: switched off is what they are, as tsrun sets no label and no profile. */
const OFF = new Set(['label=disable', 'label:disable', 'apparmor=unconfined', 'apparmor:unconfined']);

/** @throws ERR_TSRUN_USAGE for an option that tsrun does not have */
function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  const result: SecurityOptions = { seccomp: undefined, noNewPrivileges: false, unmask: [], mask: [] };
  for (const option of options) {
    const [, key = '', value] = /^([^=:]+)(?:[=:](.*))?$/.exec(option) ?? [];
    if (key === 'no-new-privileges') result.noNewPrivileges = value !== 'false';
    else if (key === 'seccomp' && value) result.seccomp = value;
    else if (key === 'unmask' && value) result.unmask.push(...value.split(':'));
    else if (key === 'mask' && value) result.mask.push(...maskable(option, value.split(':')));
    else if (option === 'systempaths=unconfined') result.unmask.push('ALL');
    else if (OFF.has(option)) continue;
    else {
      throw tsrunError('ERR_TSRUN_USAGE', {
        problem: `--security-opt ${option} is not supported`,
        hint: '--security-opt no-new-privileges | seccomp=unconfined | seccomp=FILE | unmask=ALL',
      });
    }
  }
  return result;
}

/** Masks are for what the kernel tells; a file of the image is covered by a mount. Throws ERR_TSRUN_USAGE. */
function maskable(option: string, paths: string[]): string[] {
  const foreign = paths.find((path) => !/^\/(proc|sys)\//.test(path));
  if (foreign === undefined) return paths;
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `--security-opt ${option}: only paths of /proc and /sys can be masked`,
    hint: `-v /dev/null:${foreign}:ro   # or, for a directory: --tmpfs ${foreign}`,
  });
}

function seccompProfile(option: string | undefined, capabilities: readonly string[]): Seccomp | undefined {
  if (option === 'unconfined') return undefined;
  const arch = process.arch as Architecture;
  if (option === undefined || option === 'default') return defaultProfile(capabilities, arch) as Seccomp;
  let text: string;
  try {
    text = readFileSync(option, 'utf8');
  } catch (error) {
    throw tsrunError('ERR_TSRUN_USAGE', { problem: `cannot read the seccomp profile ${option}` }, error);
  }
  return loadSeccompProfile(option, text, { arch, capabilities, kernelRelease: release() }) as Seccomp;
}
