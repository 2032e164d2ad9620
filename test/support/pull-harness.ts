/** Pulls for tests: quick retries, no logins of the machine, events kept. */
import type { PullEvent } from '../../src/image/pull/events.ts';
import { type PullOptions, type PullResult, pullImage } from '../../src/image/pull/pull-image.ts';
import { parseReference } from '../../src/spec/reference.ts';
import type { StorePaths } from '../../src/store/paths.ts';
import { type HashingUnpacker, hashingUnpacker } from './hashing-unpacker.ts';

export interface TestPull {
  result: Promise<PullResult>;
  events: PullEvent[];
  unpacker: HashingUnpacker;
}

export function testPull(paths: StorePaths, name: string, more: Partial<PullOptions> = {}): TestPull {
  const events: PullEvent[] = [];
  const unpacker = hashingUnpacker();
  const result = pullImage({
    paths,
    reference: parseReference(name),
    unpacker,
    environment: { HOME: '/nonexistent' },
    retry: { attempts: 3, firstDelayMs: 1, longestDelayMs: 5 },
    onEvent: (event) => events.push(event),
    ...more,
  });
  return { result, events, unpacker };
}

export const statusesOf = (events: PullEvent[], status: string): number =>
  events.filter((e) => e.type === 'layer' && e.status === status).length;
