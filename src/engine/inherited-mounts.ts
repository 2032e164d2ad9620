/** `--volumes-from`: what other containers have mounted, at the same places. */
import { tsrunError } from '../errors.ts';
import type { RecordedMount } from '../store/container-record.ts';
import { findContainer } from './container-view.ts';
import type { Engine } from './open-engine.ts';

/** `web:ro` → the name and the options. Throws ERR_TSRUN_USAGE. */
function parseSource(text: string): { name: string; options: string[] } {
  const [name = '', written = ''] = text.split(':', 2);
  const options = written.split(',').filter(Boolean);
  const wrong = options.find((option) => !['ro', 'rw', 'z', 'Z'].includes(option));
  if (wrong === undefined) return { name, options };
  throw tsrunError('ERR_TSRUN_USAGE', {
    problem: `--volumes-from ${text}: the option "${wrong}" is not supported`,
    hint: `--volumes-from ${name}:ro`,
  });
}

function mountsOf(engine: Engine, text: string): RecordedMount[] {
  const { name, options } = parseSource(text);
  const { record } = findContainer(engine, name);
  return record.mounts
    .filter(({ type }) => type === 'bind' || type === 'volume')
    .map(({ anonymous, ...mount }) => {
      if (anonymous && record.autoRemove) {
        throw tsrunError('ERR_TSRUN_USAGE', {
          problem: `--volumes-from ${name}: its volume on ${mount.destination} goes when it ends, because of its --rm`,
          hint: 'give the volume a name: -v NAME:/place',
        });
      }
      // The anonymous volume stays the other container's: whoever is removed first must not take it away.
      const access = options.includes('ro') ? ['ro'] : options.includes('rw') ? ['rw'] : [];
      const kept =
        access.length === 0 ? mount.options : mount.options.filter((o) => o !== 'ro' && o !== 'rw');
      return { ...mount, options: [...kept, ...access, ...(mount.type === 'volume' ? ['nocopy'] : [])] };
    });
}

/**
 * @param given mounts of the user, which win over inherited ones on the same place; so does a later --volumes-from over an earlier one
 * @throws ERR_TSRUN_USAGE, ERR_TSRUN_CONTAINER_UNKNOWN
 */
export function inheritedMounts(
  engine: Engine,
  sources: readonly string[],
  given: readonly Pick<RecordedMount, 'destination'>[],
): RecordedMount[] {
  const byPlace = new Map(
    sources.flatMap((text) => mountsOf(engine, text)).map((mount) => [mount.destination, mount]),
  );
  for (const { destination } of given) byPlace.delete(destination);
  return [...byPlace.values()];
}
