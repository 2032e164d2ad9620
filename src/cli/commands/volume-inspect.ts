import type { StorePaths } from '../../store/paths.ts';
import { findVolume, listVolumes, type VolumeRecord, volumeSource } from '../../store/volumes.ts';
import { defineCommand } from '../command.ts';
import { executeTemplate } from '../format/template/execute.ts';
import { parseTemplate } from '../format/template/parse.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { forEach } from '../select-containers.ts';

/** A volume under docker's field names. */
export const volumeDocument = (paths: StorePaths, volume: VolumeRecord): Record<string, unknown> => ({
  Name: volume.name,
  Driver: 'local',
  Mountpoint: volumeSource(paths, volume),
  CreatedAt: volume.createdAt,
  Labels: volume.labels,
  Scope: 'local',
  Options: volume.options,
  Anonymous: volume.anonymous,
});

export const VOLUME_INSPECT = defineCommand({
  usage: '[VOLUME…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: "Prints all that is known of volumes, as a JSON list under docker's field names.",
  options: {
    all: flag('All volumes', { short: 'a' }),
    format: value('FORMAT', 'json, or a Go template for each', asWritten, { short: 'f' }),
  },
  examples: [`tsrun volume inspect -f '{{.Mountpoint}}' data`],
  async run(given, names, context) {
    if (given.all === names.length > 0)
      throw usageError(
        given.all ? '--all and a name contradict each other' : 'which volume?',
        'tsrun volume ls',
      );
    const { format } = given;
    const template = format === undefined || format === 'json' ? undefined : parseTemplate(format);
    const { paths } = await context.engine();
    const wanted = given.all ? listVolumes(paths).map(({ name }) => name) : names;
    const found: object[] = [];
    const status = await forEach(wanted, context.debug, (name) => {
      const one = volumeDocument(paths, findVolume(paths, name));
      if (template) print(`${executeTemplate(template, one)}\n`);
      else found.push(one);
    });
    if (!template) print(`${JSON.stringify(found, undefined, format === 'json' ? undefined : 4)}\n`);
    return status;
  },
});
