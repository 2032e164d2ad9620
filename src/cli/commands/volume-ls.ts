import { volumeSource } from '../../store/volumes.ts';
import { defineCommand } from '../command.ts';
import { formatList, labelFields } from '../format/list.ts';
import { filterOption } from '../options/filter-option.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { filterVolumes, VOLUME_FILTERS } from '../volume-filter.ts';

const HEADINGS = {
  Driver: 'DRIVER',
  Name: 'VOLUME NAME',
  Labels: 'LABELS',
  Mountpoint: 'MOUNTPOINT',
  Scope: 'SCOPE',
  CreatedAt: 'CREATED AT',
  Anonymous: 'ANONYMOUS',
};

export const VOLUME_LS = defineCommand({
  usage: '',
  operands: [0, 0],
  text: 'Lists the volumes.',
  options: {
    filter: filterOption(VOLUME_FILTERS, { short: 'f', example: '--filter dangling=true' }),
    format: value('FORMAT', 'table, json (one object on each line), or a Go template', asWritten),
    noheading: flag('Leave the line with the headings out', { short: 'n' }),
    quiet: flag('Print only names', { short: 'q' }),
  },
  examples: [`tsrun volume ls --format '{{.Name}} {{.Mountpoint}}'`],
  async run(given, _operands, context) {
    if (given.quiet && given.format !== undefined)
      throw usageError('--quiet and --format contradict each other');
    const engine = await context.engine();
    const { listVolumes } = await import('../../store/volumes.ts');
    const volumes = await filterVolumes(engine, listVolumes(engine.paths), given.filter);
    if (given.quiet) {
      print(volumes.map(({ name }) => `${name}\n`).join(''));
      return 0;
    }
    const rows = volumes.map((volume) => ({
      Driver: 'local',
      Name: volume.name,
      ...labelFields(volume.labels),
      Mountpoint: volumeSource(engine.paths, volume),
      Scope: 'local',
      CreatedAt: volume.createdAt,
      Anonymous: volume.anonymous,
    }));
    const { format, noheading } = given;
    print(
      formatList(rows, { format, columns: ['Driver', 'Name'], headings: HEADINGS, noHeading: noheading }),
    );
    return 0;
  },
});
