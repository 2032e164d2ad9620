/** `image trust`: what it changes in policy.json, and what it leaves. */
import { describe, expect, test } from 'vitest';
import { isRegistryScope, trustRows, withTrust } from '../../../src/image/policy/edit-policy.ts';

const ACCEPT = [{ type: 'insecureAcceptAnything' }];
const FILE = '/policy.json';

describe('changing a policy', () => {
  test('one scope, and nothing else', () => {
    const rest = {
      default: [{ type: 'reject' }],
      transports: {
        'docker-daemon': { '': ACCEPT },
        docker: { 'docker.io': ACCEPT, 'quay.io/me': [{ type: 'sigstoreSigned', keyPath: '/k' }] },
      },
    };
    const changed = withTrust(JSON.stringify(rest), FILE, 'docker.io', { type: 'reject', keys: [] });
    expect(JSON.parse(changed)).toEqual({
      ...rest,
      transports: {
        ...rest.transports,
        docker: { ...rest.transports.docker, 'docker.io': [{ type: 'reject' }] },
      },
    });
    expect(changed).toMatch(/^\{\n {4}"default"/);
  });
  test('without a file everything was accepted, and still is but for the new rule', () => {
    const trust = { type: 'sigstoreSigned', keys: ['/a.pub', '/b.pub'] } as const;
    expect(JSON.parse(withTrust(undefined, FILE, 'example.org:5000/team', trust))).toEqual({
      default: ACCEPT,
      transports: {
        docker: {
          'example.org:5000/team': [
            { type: 'sigstoreSigned', keyPath: '/a.pub' },
            { type: 'sigstoreSigned', keyPath: '/b.pub' },
          ],
        },
      },
    });
  });
  test('the default', () => {
    const changed = withTrust(JSON.stringify({ default: ACCEPT }), FILE, 'default', {
      type: 'reject',
      keys: [],
    });
    expect(JSON.parse(changed)).toEqual({ default: [{ type: 'reject' }] });
  });
  test('a file that is not valid is not made worse', () => {
    for (const text of [
      '{',
      '{"default":[]}',
      '{"default":[{"type":"reject"}],"default":[{"type":"reject"}]}',
    ])
      expect(() => withTrust(text, FILE, 'default', { type: 'accept', keys: [] }), text).toThrow(FILE);
  });
});

test('the rules as podman shows them', () => {
  const gpg = { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/g' };
  const text = JSON.stringify({
    default: [{ type: 'reject' }],
    transports: { docker: { 'docker.io/library': ACCEPT, 'example.org': [gpg] }, oci: { '/srv': ACCEPT } },
  });
  expect(trustRows(text, FILE)).toEqual([
    { transport: 'all', name: 'default', type: 'reject', keys: [] },
    { transport: 'repository', name: 'docker.io/library', type: 'accept', keys: [] },
    { transport: 'repository', name: 'example.org', type: 'signed', keys: ['/g'] },
    { transport: 'oci', name: '/srv', type: 'accept', keys: [] },
  ]);
});

test.each([
  ['docker.io', true],
  ['127.0.0.1:5000/team/app', true],
  ['quay.io/me/app:v1', true],
  [`quay.io/me/app@sha256:${'a'.repeat(64)}`, true],
  ['*.example.com', true],
  ['docker://docker.io', false],
  ['docker.io/', false],
  ['quay.io/Me', false],
  ['quay.io/../x', false],
  ['a b', false],
  ['', false],
])('%s is a scope: %s', (scope, expected) => expect(isRegistryScope(scope)).toBe(expected));
