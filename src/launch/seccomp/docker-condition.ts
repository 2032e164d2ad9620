/** `includes` and `excludes` of a rule in docker's profile format: when it is in force (moby profiles/seccomp). */
import type { ProfileNode } from './profile-node.ts';
import type { ProfileTarget } from './profile-target.ts';

/** Architectures are called by their Go names there. */
const GO_ARCH = { x64: 'amd64', arm64: 'arm64' } as const;

/** Refuses what {@link applies} would not understand. */
export function checkCondition(node: ProfileNode): void {
  if (!node.present) return;
  node.onlyKeys(['caps', 'arches', 'minKernel']);
  for (const item of [...node.get('caps').items(), ...node.get('arches').items()]) item.string();
  const minKernel = node.get('minKernel');
  if (minKernel.present && !/^\d+\.\d+/.test(minKernel.string()))
    minKernel.fail('is not a version such as 4.8');
}

/** Everything that `includes` asks for, and nothing that `excludes` names. */
export function applies(includes: ProfileNode, excludes: ProfileNode, target: ProfileTarget): boolean {
  const has = (cap: string): boolean => target.capabilities.includes(cap);
  const included = answers(includes, target);
  const excluded = answers(excludes, target);
  return (
    included.caps.every(has) &&
    included.arch !== false &&
    included.kernel !== false &&
    !excluded.caps.some(has) &&
    excluded.arch !== true &&
    excluded.kernel !== true
  );
}

/** undefined = not asked. */
function answers(node: ProfileNode, target: ProfileTarget) {
  if (!node.present) return { caps: [], arch: undefined, kernel: undefined };
  const arches = node
    .get('arches')
    .items()
    .map((item) => item.string());
  const minKernel = node.get('minKernel');
  return {
    caps: node
      .get('caps')
      .items()
      .map((item) => item.string()),
    arch: arches.length > 0 ? arches.includes(GO_ARCH[target.arch]) : undefined,
    kernel: minKernel.present ? atLeast(target.kernelRelease, minKernel.string()) : undefined,
  };
}

function atLeast(release: string, wanted: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map((part) => Number.parseInt(part, 10));
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
