/** The programs that connect networks to the outside, as they are on this machine. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type HelperFinding, type HelperName, probeHelper } from '../network/probe-helper.ts';
import type { Engine } from './open-engine.ts';

const found = new WeakMap<Engine['paths'], Map<HelperName, HelperFinding>>();

/** Looked for once a command. */
export function networkHelper({ paths }: Pick<Engine, 'paths'>, name: HelperName): HelperFinding {
  const findings = found.get(paths) ?? new Map<HelperName, HelperFinding>();
  found.set(paths, findings);
  const known = findings.get(name);
  if (known) return known;
  mkdirSync(paths.runtime, { recursive: true, mode: 0o700 });
  const finding = probeHelper(name, { cacheFile: join(paths.runtime, 'network-helpers.json') });
  findings.set(name, finding);
  return finding;
}
