import { createReadStream } from 'node:fs';
import { defineCommand } from '../command.ts';

export const VOLUME_IMPORT = defineCommand({
  usage: 'VOLUME FILE|-',
  operands: [2, 2],
  text: 'Puts what is in a tar archive into a volume, which must be there; - is stdin. Files of the same names are replaced, others stay.',
  options: {},
  examples: ['tsrun volume import data data.tar'],
  async run(_given, [name = '', file = ''], context) {
    const engine = await context.engine();
    const { findVolume, volumeSource } = await import('../../store/volumes.ts');
    const { extractArchive } = await import('../../engine/copy-files.ts');
    const { openInput } = await import('../../image/archive/open-archive.ts');
    const root = volumeSource(engine.paths, findVolume(engine.paths, name));
    const input = createReadStream('', { fd: file === '-' ? 0 : openInput(file), highWaterMark: 1 << 18 });
    const to = { kind: 'directory', root, path: '/' } as const;
    const { skippedDevices = 0 } = await extractArchive(engine, input, to, {
      archive: true,
      overwrite: true,
    });
    if (skippedDevices > 0) engine.warn(`${skippedDevices} devices were left out: only root can make them`);
    return 0;
  },
});
