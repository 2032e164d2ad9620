import { expect, test } from 'vitest';
import { apiHost, isLoopback } from '../../../src/registry/host.ts';
import { readTlsFiles } from '../../../src/registry/tls-files.ts';

test.each([
  'localhost',
  'localhost:5000',
  'a.localhost',
  '127.0.0.1:80',
  '127.9.9.9',
  '[::1]',
  '[::1]:5000',
  'LOCALHOST',
])('%s is this machine', (host) => {
  expect(isLoopback(host)).toBe(true);
});
test.each([
  'docker.io',
  '128.0.0.1',
  'localhost.example.com',
  '127.0.0.1.example.com',
  '[::2]',
  '10.0.0.1:5000',
  'notlocalhost',
])('%s is not', (host) => {
  expect(isLoopback(host)).toBe(false);
});
test('docker.io has its API elsewhere', () => {
  expect(apiHost('docker.io')).toBe('registry-1.docker.io');
  expect(apiHost('quay.io')).toBe('quay.io');
});
test('no certificates of its own', () => expect(readTlsFiles('x.io', ['/nonexistent'])).toEqual({}));
