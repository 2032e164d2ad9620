/** AC-1.2: the report is what its schema says, and every check has its place in the documentation. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeHost } from '../../src/engine/doctor/node-host.ts';
import { renderJson, renderReport } from '../../src/engine/doctor/render.ts';
import { PROBES, runDoctor } from '../../src/engine/doctor/run-doctor.ts';
import { fakeHost } from './support/fake-host.ts';
import { violations } from './support/json-schema.ts';

const project = new URL('../../', import.meta.url);
const schema = JSON.parse(readFileSync(new URL('docs/doctor.schema.json', project), 'utf8'));
const ids = runDoctor(fakeHost()).findings.map(({ id }) => id);

function broken() {
  const host = fakeHost();
  host.userNamespace = { ok: false, words: 'unshare failed: Operation not permitted' };
  host.files['/proc/sys/user/max_user_namespaces'] = '0\n';
  host.denied['/dev/net/tun'] = 'EACCES';
  host.kernelRelease = '4.18.0';
  return runDoctor(host);
}

describe('the doctor’s report', () => {
  it('is 0, 1 or 2 by its worst finding', () => {
    const degraded = fakeHost();
    degraded.denied['/dev/net/tun'] = 'EACCES';
    expect([runDoctor(fakeHost()), runDoctor(degraded), broken()].map((r) => [r.status, r.exitCode])).toEqual(
      [
        ['ok', 0],
        ['degraded', 1],
        ['blocked', 2],
      ],
    );
  });

  it('as JSON is valid by docs/doctor.schema.json', () => {
    for (const report of [runDoctor(fakeHost()), broken()])
      expect(violations(schema, JSON.parse(renderJson(report)))).toEqual([]);
  });

  it('and the schema does refuse what is not a report', () => {
    const good = JSON.parse(renderJson(broken()));
    const finding = good.findings[0];
    for (const bad of [
      { ...good, schemaVersion: 2 },
      { ...good, extra: 1 },
      { ...good, findings: [] },
      { ...good, findings: [{ ...finding, status: 'fine' }] },
      { ...good, findings: [{ ...finding, id: 'Not An Id' }] },
      { ...good, findings: [{ ...finding, remedy: 'x' }] },
      { ...good, findings: [{ id: 'a', title: 'b', status: 'ok' }] },
    ])
      expect(violations(schema, bad)).not.toEqual([]);
  });

  it('documents every check, and nothing but checks', () => {
    const page = readFileSync(new URL('docs/doctor.md', project), 'utf8');
    expect([...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual(ids);
  });

  it('has one file for each check, named as it', () => {
    const files = readdirSync(new URL('src/engine/doctor/probes/', project)).map((name) =>
      name.replace(/\.ts$/, ''),
    );
    expect(files.sort()).toEqual([...ids].sort());
    expect(PROBES).toHaveLength(ids.length);
  });

  it('reads well', () => {
    const lines = renderReport(broken()).split('\n');
    expect(lines).toContain('OK        ordinary user              alice, uid 1001');
    expect(lines).toContain(
      'BLOCKED   user namespaces            unshare failed: Operation not permitted; user.max_user_namespaces is 0',
    );
    expect(lines.slice(ids.length, -1).join('\n')).toMatchInlineSnapshot(`
      "
      kernel: Linux 4.18.0; the launch needs mount_setattr(2), which came with 5.12
        see: docs/doctor.md#kernel

      user namespaces: unshare failed: Operation not permitted; user.max_user_namespaces is 0
        remedy (needs an administrator):
          echo 'user.max_user_namespaces=15000' | sudo tee -a /etc/sysctl.d/99-tsrun.conf && sudo sysctl --system
        see: docs/doctor.md#user-namespaces

      /dev/net/tun: /dev/net/tun cannot be opened (EACCES)
        you lose: containers have --network none or host only, and no published ports
        remedy (needs an administrator):
          sudo chmod 0666 /dev/net/tun
        see: docs/doctor.md#tun

      Containers cannot start until what is blocked above is set right."
    `);
  });

  it('of this very host is a valid one, whatever the host is like', () => {
    const host = nodeHost({
      storeRoot: '/nonexistent/tsrun',
      launcher: '/nonexistent/launcher',
      tryUserNamespace: () => ({ ok: true }),
    });
    const report = runDoctor(host);
    expect(report.findings.map(({ id }) => id)).toEqual(ids);
    expect(violations(schema, JSON.parse(renderJson(report)))).toEqual([]);
    expect(report.findings.find(({ id }) => id === 'kernel')?.detail).toContain(host.kernelRelease);
  });
});
