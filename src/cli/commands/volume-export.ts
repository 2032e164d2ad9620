import { openArchiveTarget } from '../archive-output.ts';
import { defineCommand } from '../command.ts';
import { asWritten, value } from '../options/option.ts';

export const VOLUME_EXPORT = defineCommand({
  usage: 'VOLUME',
  operands: [1, 1],
  text: 'Writes what is in a volume as a tar archive. Containers may use it meanwhile.',
  options: { output: value('FILE', 'Write to FILE instead of stdout', asWritten, { short: 'o' }) },
  examples: ['tsrun volume export -o data.tar data'],
  async run(given, [name = ''], context) {
    const engine = await context.engine();
    const { findVolume, volumeSource } = await import('../../store/volumes.ts');
    const { packTree } = await import('../../engine/pack-tree.ts');
    const path = volumeSource(engine.paths, findVolume(engine.paths, name));
    using target = await openArchiveTarget(given.output, `tsrun volume export ${name}`);
    const { changed, skipped } = await packTree(engine, { kind: 'directory', path }, target.fd);
    if (skipped.length > 0) engine.warn(`an archive cannot hold sockets; left out: ${skipped.join(', ')}`);
    if (changed > 0) engine.warn(`${changed} files changed while they were read`);
    target.keep();
    return 0;
  },
});
