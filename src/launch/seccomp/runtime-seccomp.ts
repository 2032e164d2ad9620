/** `linux.seccomp` as it stands in a config.json, ours or one that somebody else wrote: checked, then compiled. */
import type { Seccomp } from '../../spec/runtime.ts';
import type { Architecture } from '../../sys/syscall-numbers.ts';
import { type CompiledSeccomp, compileSeccomp } from './compile.ts';
import { readProfile } from './load-profile.ts';
import { ProfileNode } from './profile-node.ts';

/** Throws ERR_TSRUN_SECCOMP_PROFILE naming the field that is wrong. */
export function compileRuntimeSeccomp(
  seccomp: Seccomp,
  arch: Architecture = process.arch === 'arm64' ? 'arm64' : 'x64',
): CompiledSeccomp {
  // The OCI form has no conditions on capabilities or kernels, so there is nothing to say about those.
  const target = { arch, capabilities: [], kernelRelease: '' };
  return compileSeccomp(readProfile(new ProfileNode('config.json', 'linux.seccomp', seccomp), target), arch);
}
