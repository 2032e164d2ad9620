import { expect, test } from 'vitest';
import { parseRetryAfter, TransientFailure, withRetries } from '../../../src/registry/retry.ts';

const policy = { attempts: 3, firstDelayMs: 0, longestDelayMs: 0 };

test('gives up after so many attempts, with the failure itself', async () => {
  const failure = new Error('down');
  let attempts = 0;
  const attempt = async (): Promise<never> => {
    attempts++;
    throw new TransientFailure(failure);
  };
  await expect(withRetries(attempt, { policy })).rejects.toBe(failure);
  expect(attempts).toBe(3);
});

test('does not repeat what will not pass', async () => {
  let attempts = 0;
  const attempt = async (): Promise<never> => {
    attempts++;
    throw new Error('no');
  };
  await expect(withRetries(attempt, { policy })).rejects.toThrow('no');
  expect(attempts).toBe(1);
});

test('progress makes attempts count anew', async () => {
  let done = 0;
  const attempt = async (): Promise<string> => {
    if (++done === 10) return 'all';
    throw new TransientFailure(new Error('cut'));
  };
  expect(await withRetries(attempt, { policy, progress: () => done })).toBe('all');
});

test('Retry-After', () => {
  const now = Date.parse('2024-01-01T00:00:00Z');
  expect(parseRetryAfter('7', now)).toBe(7000);
  expect(parseRetryAfter('Mon, 01 Jan 2024 00:00:05 GMT', now)).toBe(5000);
  expect(parseRetryAfter('Mon, 01 Jan 2023 00:00:05 GMT', now)).toBe(0);
  expect(parseRetryAfter('soon', now)).toBeUndefined();
  expect(parseRetryAfter(undefined, now)).toBeUndefined();
});
