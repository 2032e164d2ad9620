/** The options of a health check, of a container that is made and of one that is there. */
import { describe, expect, it } from 'vitest';
import { UPDATE } from '../../src/cli/commands/update.ts';
import { optionText } from '../../src/cli/help.ts';
import { HEALTH_OPTIONS, healthRequest } from '../../src/cli/options/supervision-options.ts';
import { parseWords } from '../../src/cli/parse/words.ts';
import { changedHealthCheck, healthCheck } from '../../src/engine/health-check.ts';
import type { HealthRequest } from '../../src/engine/request.ts';
import type { HealthCheck } from '../../src/store/container-record.ts';

const request = async (...words: string[]): Promise<HealthRequest> => {
  const rules = { command: 'tsrun', optionsEndAtOperand: false };
  return healthRequest((await parseWords(HEALTH_OPTIONS, words, rules)).values);
};

const BEFORE: HealthCheck = {
  test: ['CMD-SHELL', 'true'],
  intervalMs: 1000,
  timeoutMs: 2000,
  startPeriodMs: 60_000,
  startIntervalMs: 3000,
  retries: 4,
  onFailure: 'kill',
};

describe('--health-start-period 0', () => {
  it('takes away the one that a container has, and nothing else', async () => {
    for (const none of ['0', '0s'])
      expect(changedHealthCheck(BEFORE, await request('--health-start-period', none))).toEqual({
        ...BEFORE,
        startPeriodMs: 0,
      });
  });

  it('and the one that an image has', async () => {
    const image = { Healthcheck: { Test: ['CMD', 'true'], StartPeriod: 60e9, Interval: 7e9 } };
    expect(healthCheck(image, await request('--health-start-period', '0s'))).toMatchObject({
      startPeriodMs: 0,
      intervalMs: 7000,
    });
    // Of the others 0 is docker's word for what the image says.
    expect(healthCheck(image, await request('--health-interval', '0s'))).toMatchObject({
      startPeriodMs: 60_000,
      intervalMs: 7000,
    });
  });
});

it('none of them goes with --no-healthcheck', async () => {
  expect(await request('--no-healthcheck')).toMatchObject({ none: true });
  for (const [option, word] of [
    ['cmd', 'true'],
    ['start-period', '0'],
    ['on-failure', 'none'],
  ] as const)
    await expect(request('--no-healthcheck', `--health-${option}`, word)).rejects.toMatchObject({
      code: 'ERR_TSRUN_USAGE',
      message: expect.stringContaining(`--no-healthcheck and --health-${option} contradict each other`),
    });
});

it('`update --help` gives as defaults what the container has, not what a new one gets', () => {
  const texts = Object.values(UPDATE.options).map(optionText);
  const defaults = texts.flatMap((text) => /\[([^\]:]*)\](?: \(such|$)/.exec(text)?.[1] ?? []);
  expect(defaults).toContain("the container's");
  expect(defaults.filter((text) => !text.startsWith("the container's"))).toEqual([]);
  expect(texts.join()).not.toMatch(/image has/);
});
