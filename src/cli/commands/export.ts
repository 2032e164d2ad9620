import type { PackResult } from '../../image/pack/pack-job.ts';
import { openArchiveTarget, unlessBrokenPipe } from '../archive-output.ts';
import { defineCommand } from '../command.ts';
import { asWritten, value } from '../options/option.ts';

function tellLosses({ skipped, skippedCount, changed }: PackResult, warn: (line: string) => void): void {
  if (skippedCount > 0) {
    const more = skippedCount > skipped.length ? ', …' : '';
    warn(`an archive cannot hold sockets; left out: ${skipped.join(', ')}${more}`);
  }
  if (changed > 0)
    warn(`${changed} files changed while they were read; stop the container for a still picture`);
}

export const EXPORT = defineCommand({
  usage: 'CONTAINER',
  operands: [1, 1],
  text: "Writes a container's files as a tar archive, without its volumes. The container may run.",
  options: {
    output: value('FILE', 'Write to FILE instead of stdout', asWritten, {
      short: 'o',
      example: '-o web.tar',
    }),
  },
  examples: ['tsrun export -o web.tar web', 'tsrun export web | tar -t'],
  async run(given, [name = ''], context) {
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    const { logContainerEvent } = await import('../../engine/container-events.ts');
    const { packTree } = await import('../../engine/pack-tree.ts');
    const { record } = findContainer(engine, name);
    using target = await openArchiveTarget(given.output, `tsrun export ${name}`);
    return await unlessBrokenPipe(async () => {
      tellLosses(await packTree(engine, { kind: 'container', record }, target.fd), (line) =>
        engine.warn(line),
      );
      target.keep();
      logContainerEvent(engine, record, 'export');
    });
  },
});
