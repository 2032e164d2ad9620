/** What a start takes from whoever asks for it, before anything is made. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../src/engine/open-engine.ts';
import { startSurroundings } from '../../src/engine/start-surroundings.ts';
import type { ContainerRecord, HealthCheck } from '../../src/store/container-record.ts';
import { exampleConfig } from '../support/example-plan.ts';

afterEach(() => void vi.unstubAllEnvs());

describe('start --sdnotify healthy', () => {
  const start = (health?: HealthCheck) => {
    const record = { name: 'web', ...(health && { health }) } as ContainerRecord;
    return startSurroundings({} as Engine, record, exampleConfig(), { sdnotify: 'healthy' });
  };

  // systemd waited for a READY that never came, until TimeoutStartSec; `create` and `update` refused it already.
  it.each([undefined, '/run/notify'])(
    'of a container without a health check is refused, with NOTIFY_SOCKET %s',
    async (address) => {
      vi.stubEnv('NOTIFY_SOCKET', address);
      await expect(start()).rejects.toMatchObject({
        code: 'ERR_TSRUN_USAGE',
        message: expect.stringContaining('--sdnotify healthy: container web has no health check'),
        hint: expect.stringMatching(/^tsrun update --health-cmd .* web$/),
      });
    },
  );

  it('of one that has a check is the supervisor’s to say', async () => {
    vi.stubEnv('NOTIFY_SOCKET', '/run/notify');
    vi.stubEnv('LISTEN_FDS', undefined);
    const { manager } = await start({
      test: ['CMD', 'true'],
      intervalMs: 1000,
      timeoutMs: 1000,
      startPeriodMs: 0,
      startIntervalMs: 1000,
      retries: 3,
      onFailure: 'none',
    });
    expect(manager?.notify).toEqual({ socket: '/run/notify', whenHealthy: true });
  });
});
