import { describe, expect, test } from 'vitest';
import type { Descriptor, Digest, Platform } from '../../../src/spec/image.ts';
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  parsePlatform,
  platformDistance,
} from '../../../src/spec/platform.ts';

const entry = (platform: string | undefined, more: Partial<Descriptor> = {}): Descriptor => {
  const [os = '', architecture = '', variant] = platform?.split('/') ?? [];
  const written: Platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return {
    mediaType: 'm',
    digest: `sha256:${platform}` as Digest,
    size: 1,
    ...(platform === undefined ? {} : { platform: written }),
    ...more,
  };
};
const choose = (wanted: string, ...offered: string[]): string =>
  formatPlatform(
    choosePlatform(
      'image',
      offered.map((p) => entry(p)),
      parsePlatform(wanted),
    ).platform!,
  );

describe('choosePlatform', () => {
  test('the exact one, wherever it is', () => {
    expect(choose('linux/arm64', 'linux/amd64', 'linux/arm64/v8', 'linux/arm/v7')).toBe('linux/arm64/v8');
    expect(choose('linux/amd64', 'windows/amd64', 'linux/amd64')).toBe('linux/amd64');
  });
  test('the best that the variant runs', () => {
    expect(choose('linux/arm/v7', 'linux/arm/v5', 'linux/arm/v6')).toBe('linux/arm/v6');
    expect(choose('linux/amd64/v3', 'linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4')).toBe(
      'linux/amd64/v2',
    );
    expect(choose('linux/amd64', 'linux/amd64/v2', 'linux/amd64/v1')).toBe('linux/amd64/v1');
  });
  test('never one that needs more', () => {
    expect(() => choose('linux/arm/v6', 'linux/arm/v7')).toThrow(
      'image has no image for linux/arm/v6; it has linux/arm/v7',
    );
    expect(() => choose('linux/amd64', 'linux/amd64/v3')).toThrow(/no image for linux\/amd64/);
  });
  test('no attestation', () => {
    const attestation = entry('unknown/unknown');
    expect(() => choosePlatform('image', [attestation], parsePlatform('amd64'))).toThrow(
      /it has none at all/,
    );
    const marked = entry(undefined, { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } });
    const real = entry(undefined);
    expect(choosePlatform('image', [marked, real], parsePlatform('amd64'))).toBe(real);
  });
  test('the first among equals', () => {
    const [a, b] = [entry('linux/amd64'), entry('linux/amd64')];
    expect(choosePlatform('image', [a, b], parsePlatform('amd64'))).toBe(a);
  });
});

test('the words of other systems', () => {
  expect(hostPlatform('x64')).toEqual({ os: 'linux', architecture: 'amd64' });
  expect(hostPlatform('arm64')).toEqual({ os: 'linux', architecture: 'arm64' });
  expect(formatPlatform(parsePlatform('aarch64'))).toBe('linux/arm64');
  expect(formatPlatform(parsePlatform('linux/armhf'))).toBe('linux/arm');
  expect(formatPlatform(parsePlatform('linux/arm64/v8'))).toBe('linux/arm64');
  expect(formatPlatform(parsePlatform('linux/arm/6'))).toBe('linux/arm/v6');
  expect(() => parsePlatform('linux/')).toThrow(/not a platform/);
  expect(() => parsePlatform('a/b/c/d')).toThrow(/not a platform/);
  expect(
    platformDistance({ os: 'linux', architecture: 'x86_64' }, { os: 'linux', architecture: 'amd64' }),
  ).toBe(0);
});
