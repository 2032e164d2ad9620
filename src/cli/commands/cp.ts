import type { CopyPlace } from '../../engine/copy-files.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { openArchiveTarget } from '../archive-output.ts';
import { type Context, defineCommand } from '../command.ts';
import { flag } from '../options/option.ts';
import { usageError } from '../parse/usage.ts';

/** `web:/etc` is in a container; `./a:b`, `/a:b` and a name without a colon are on this machine. */
async function placeOf(engine: Engine, written: string): Promise<CopyPlace> {
  const colon = written.indexOf(':');
  if (colon <= 0 || /^[./]/.test(written)) return { kind: 'host', path: written };
  const { findContainer } = await import('../../engine/container-view.ts');
  return {
    kind: 'container',
    view: findContainer(engine, written.slice(0, colon)),
    path: written.slice(colon + 1) || '/',
  };
}

async function copy(
  from: string,
  to: string,
  given: { archive: boolean; 'follow-link': boolean; overwrite: boolean },
  context: Context,
): Promise<void> {
  const engine = await context.engine();
  const { copyFiles, extractArchive, packFiles } = await import('../../engine/copy-files.ts');
  const follow = given['follow-link'];
  const { archive, overwrite } = given;
  const source = from === '-' ? undefined : await placeOf(engine, from);
  const target = to === '-' ? undefined : await placeOf(engine, to);
  if (source?.kind !== 'container' && target?.kind !== 'container') {
    throw usageError('tsrun cp: neither place is in a container', 'tsrun cp CONTAINER:PATH PLACE');
  }
  if (!target && source) {
    using out = await openArchiveTarget('-', `tsrun cp ${from} -`);
    await packFiles(engine, source, out.fd, follow);
  } else if (!source && target) {
    const { skippedDevices = 0 } = await extractArchive(engine, process.stdin, target, {
      archive,
      overwrite,
    });
    if (skippedDevices > 0)
      engine.warn(`${skippedDevices} devices of the archive were left out: only root can make them`);
  } else if (source && target) {
    const { skipped, changed } = await copyFiles(engine, source, target, { archive, follow, overwrite });
    if (skipped.length > 0) engine.warn(`sockets cannot be copied; left out: ${skipped.join(', ')}`);
    if (changed > 0) engine.warn(`${changed} files changed while they were read`);
  }
}

export const CP = defineCommand({
  usage: '[CONTAINER:]SOURCE [CONTAINER:]PLACE',
  operands: [2, 2],
  text:
    'Copies a file, or a directory with all that is in it. A directory goes into PLACE if that is a directory, and else becomes PLACE; ' +
    '`SOURCE/.` stands for what is in it. - stands for a tar archive on stdin or stdout. Links are resolved inside the container, which may run.',
  options: {
    archive: flag(
      'Into a container: keep the numbers of users and groups; otherwise its root owns the copy',
      { short: 'a' },
    ),
    'follow-link': flag('Copy what SOURCE leads to if it is a symbolic link', { short: 'L' }),
    overwrite: flag('Let a directory take the place of a file, and the other way round'),
  },
  unsupported: { pause: 'tsrun pause CONTAINER first' },
  examples: [
    'tsrun cp page.html web:/var/www/',
    'tsrun cp web:/var/log/. logs',
    'tsrun cp web:/etc - | tar -t',
  ],
  async run(given, [from = '', to = ''], context) {
    if (from === '-' && to === '-') throw usageError('tsrun cp: - cannot be both');
    await copy(from, to, given, context);
    return 0;
  },
});
