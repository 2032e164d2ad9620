/** The real kernel takes the compiled default filter and decides as the simulator says. Needs no privilege: no_new_privs is enough. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileSeccomp } from '../../src/launch/seccomp/compile.ts';
import { defaultProfile } from '../../src/launch/seccomp/default-profile.ts';
import { ERRNO } from '../../src/sys/errno.ts';
import { temporaryDirectoryForTest } from '../support/temporary-store.ts';

const haveCompiler = spawnSync('cc', ['--version']).status === 0;
const arch = process.arch === 'arm64' ? 'arm64' : 'x64';

/** Results of test/unit/support/seccomp-try.c under the default profile for `capabilities`. */
function tryCalls(capabilities: string[]): Record<string, string> {
  const binary = join(temporaryDirectoryForTest(), 'try');
  execFileSync('cc', [
    '-O1',
    '-Wall',
    '-o',
    binary,
    new URL('support/seccomp-try.c', import.meta.url).pathname,
  ]);
  const { bytes } = compileSeccomp(defaultProfile(capabilities, arch), arch);
  const output = execFileSync(binary, { input: bytes, encoding: 'utf8' });
  return Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => line.split(/ (.*)/).slice(0, 2)),
  );
}

describe.skipIf(!haveCompiler)('the default filter in the kernel', () => {
  it('answers as designed', () => {
    expect(tryCalls([])).toMatchObject({
      getpid: '0',
      newer: `${ERRNO.ENOSYS}`,
      keyctl: `${ERRNO.EPERM}`,
      unshare: `${ERRNO.EPERM}`,
      'clone-newuser': `${ERRNO.EPERM}`,
      clone3: `${ERRNO.ENOSYS}`,
      'personality-query': '0',
      'personality-no-aslr': `${ERRNO.EPERM}`,
      'socket-unix': '0',
      'socket-vsock': `${ERRNO.EAFNOSUPPORT}`,
      'socket-vsock-high-bits': `${ERRNO.EAFNOSUPPORT}`,
      'socket-audit': `${ERRNO.EINVAL}`,
      'socket-route': '0',
    });
  });

  it.runIf(arch === 'x64')('knows the calls of the 32-bit table, and lets nobody in by the x32 one', () => {
    expect(tryCalls([])).toMatchObject({
      i386: 'pid',
      'i386-mount': `${ERRNO.EPERM}`,
      x32: `${ERRNO.ENOSYS}`,
    });
  });

  it('passes clone3 on to the kernel with CAP_SYS_ADMIN', () => {
    expect(tryCalls(['CAP_SYS_ADMIN']).clone3).toBe(`${ERRNO.EINVAL}`);
  });
});
