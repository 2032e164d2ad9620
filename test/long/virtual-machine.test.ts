/**
 * What only another machine can show: AppArmor in force, a systemd that delegates cgroups and keeps a journal, and a reboot. The machine is
 * emulated, so that it takes some minutes.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boot, debianMirror, makeVirtualMachine, type Section } from '../support/virtual-machine.ts';

const mirror = process.arch === 'x64' ? await debianMirror() : undefined;
if (!mirror) console.warn('skipped: the virtual machine is made of Debian’s packages, on x64');

describe.skipIf(!mirror)('in a virtual machine', () => {
  let directory: string;
  let sections: Map<string, Section>;
  const said = (name: string): Section | undefined => sections.get(name);

  beforeAll(async () => {
    directory = await mkdtemp('/var/tmp/tsrun-vm-'); // the disk is too large for a /tmp in memory
    await makeVirtualMachine(directory, mirror ?? '', join(import.meta.dirname, 'virtual-machine/guest.sh'));
    sections = new Map([...(await boot(directory, 1)), ...(await boot(directory, 2))]);
  }, 3_600_000);
  afterAll(() => directory && rmSync(directory, { recursive: true }));

  it('doctor finds all that a container needs', () => {
    const { findings } = JSON.parse(said('doctor')?.text ?? '{}') as {
      findings: { id: string; status: string }[];
    };
    expect(findings.filter(({ status }) => status === 'blocked')).toEqual([]);
    expect(findings.find(({ id }) => id === 'user-namespaces')?.status).toBe('ok');
  });

  /** Once the profile that doctor prints named a helper, which AppArmor never saw: on Ubuntu it would have changed nothing. */
  it('an AppArmor profile for the launcher reaches Node, the container, and what is executed in it', () => {
    expect(said('unconfined')).toEqual({ text: expect.stringMatching(/^unconfined$/m), status: 0 });
    expect(said('profiled')).toEqual({ text: expect.stringMatching(/^tsrun \(unconfined\)$/m), status: 0 });
    expect(said('profiled-twice')?.text).toContain('It works!');
    expect(said('profiled-twice')?.text).toMatch(/^tsrun \(unconfined\)$/m);
  });

  it('under a profile that does not allow user namespaces, the error says which step was refused', () => {
    expect(said('without-userns')?.status).toBe(125);
    expect(said('without-userns')?.text).toContain('become root in a user namespace');
    expect(said('without-userns')?.text).toContain('clone: Permission denied');
  });

  it('limits hold in a delegated cgroup, and a container that the kernel killed for memory says so', () => {
    expect(said('limits')?.text).toContain('33554432\n50');
    expect(said('limits')?.status).toBe(137);
    expect(said('limits-told')).toEqual({ text: 'true 137', status: 0 });
  });

  it('log driver journald: what a container says is in the journal, and logs reads it there', () => {
    expect(said('journal')).toEqual({ text: expect.stringMatching(/^hello\nbad$/m), status: 0 });
  });

  it('a generated unit starts a container, restarts it, brings it back after a reboot, and stops it', () => {
    expect(said('unit')?.text).toMatch(/^active$/m);
    expect(said('unit-restarts')).toEqual({ text: 'active\nu', status: 0 });
    expect(said('comes-back')).toEqual({ text: 'active', status: 0 });
    expect(said('unit-stops')).toEqual({ text: expect.stringMatching(/^exited 1(37|43)$/m), status: 0 });
  });

  it('one unit for all containers whose policy is always starts them after a reboot', () => {
    expect(said('restart-service')?.text).toMatch(/^running$/m);
    expect(said('restarted')).toEqual({ text: 'running\nagain', status: 0 });
  });

  it('a container that ran when the machine was switched off has ended with an unknown status, and can be started', () => {
    expect(said('left-running')).toEqual({ text: 'running', status: 0 });
    const { text = '' } = said('told-the-truth') ?? {};
    expect(text.split('\n').slice(0, 3)).toEqual(['exited <nil>', 'left', 'running']);
  });
});
