/** `linux.seccomp` as it stands in a config.json, ours or one that somebody else wrote: checked, then compiled. */

import { tsrunError } from '../../errors.ts';
import type { Seccomp } from '../../spec/runtime.ts';
import type { Architecture } from '../../sys/syscall-numbers.ts';
import { MAX_INSTRUCTIONS } from './bpf.ts';
import { type CompiledSeccomp, compileSeccomp } from './compile.ts';
import { readProfile } from './load-profile.ts';
import { ProfileNode } from './profile-node.ts';

/** Throws ERR_TSRUN_SECCOMP_PROFILE naming the field that is wrong, or when the filter is longer than the kernel takes. */
export function compileRuntimeSeccomp(
  seccomp: Seccomp,
  arch: Architecture = process.arch === 'arm64' ? 'arm64' : 'x64',
): CompiledSeccomp {
  // The OCI form has no conditions on capabilities or kernels, so there is nothing to say about those.
  const target = { arch, capabilities: [], kernelRelease: '' };
  const compiled = compileSeccomp(
    readProfile(new ProfileNode('config.json', 'linux.seccomp', seccomp), target),
    arch,
  );
  const { length } = compiled.instructions;
  if (length > MAX_INSTRUCTIONS) {
    const problem = `it makes a filter of ${length} instructions; the kernel takes ${MAX_INSTRUCTIONS}`;
    throw tsrunError('ERR_TSRUN_SECCOMP_PROFILE', { file: 'config.json', problem });
  }
  return compiled;
}
