/** What is said of a network helper that refused: its own words, and of these what says something. */
import { expect, it } from 'vitest';
import { startError } from '../../src/engine/failure.ts';
import { call } from '../../src/sys/calls.ts';

const failed = (words: string) =>
  startError({
    ...{ container: 'web', command: 'true', workdir: '/', errno: 100, words },
    step: call('supervisor', 'pasta must be ready', 'read', [0, 0, 0]),
  });
const causeOf = (words: string): string =>
  String((failed(words).cause as { message?: string }).message ?? failed(words).cause);

it('has the words of a helper in it', () => {
  expect(causeOf('outbound-addr has to be valid\n')).toMatch(/^outbound-addr has to be valid \(/);
});

// Debian 12's pasta has no syslog in a container's network namespace: its help of 70 lines came twice, in one line.
it('has neither its usage nor its complaints about syslog in it', () => {
  const words = `Failed to send 43 bytes to syslog\npasta: unrecognized option '--nonsense'\nFailed to send 51 bytes to syslog\nUsage: pasta [OPTION]\n  -d, --debug\n`;
  expect(causeOf(words)).toMatch(/^pasta: unrecognized option '--nonsense' \(/);
});

it('has its usage if that is all', () => {
  expect(causeOf('Usage: pasta [OPTION]\n')).toMatch(/^Usage: pasta/);
});
