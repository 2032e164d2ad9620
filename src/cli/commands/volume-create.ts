import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { randomHex } from '../../sys/random.ts';
import { defineCommand } from '../command.ts';
import { flag, list, value } from '../options/option.ts';
import { print } from '../output.ts';
import { parseLabel } from '../parse/labels.ts';
import { usageError } from '../parse/usage.ts';
import { checkBindOptions, checkVolumeName } from '../parse/volume.ts';
import { oneOf } from '../parse/words-of-choice.ts';

const EXAMPLE = 'tsrun volume create --opt type=none --opt o=bind --opt device=/srv/data data';

function parseOption(text: string): [key: string, value: string] {
  const equals = text.indexOf('=');
  const key = equals === -1 ? text : text.slice(0, equals);
  if (!['type', 'device', 'o'].includes(key)) {
    throw usageError(`--opt ${text}: there are type, device and o`, EXAMPLE);
  }
  return [key, equals === -1 ? '' : text.slice(equals + 1)];
}

/** Throws ERR_TSRUN_USAGE for what nobody without root could mount. */
function checkOptions(options: Record<string, string>): Record<string, string> {
  if (Object.keys(options).length === 0) return options;
  const { type = 'none', device, o = '' } = options;
  if (type === 'tmpfs') {
    throw usageError(
      '--opt type=tmpfs: nothing of tsrun runs that could keep it between containers',
      'tsrun run --tmpfs /place:size=64m …   # one for each container',
    );
  }
  const flags = o.split(',').filter((word) => word !== '');
  const isBind = (type === 'none' || type === 'bind') && flags.some((word) => /^r?bind$/.test(word));
  if (!isBind || device === undefined) {
    throw usageError(
      `--opt: only a directory of this machine can be bound (type=none, o=bind, device=PATH), not type=${type}`,
      EXAMPLE,
    );
  }
  checkBindOptions(flags, `--opt o=${o}`);
  if (!isAbsolute(device)) throw usageError(`--opt device=${device}: not an absolute path`, EXAMPLE);
  if (!existsSync(device)) throw usageError(`--opt device=${device}: it is not there`, `mkdir ${device}`);
  return options;
}

export const VOLUME_CREATE = defineCommand({
  usage: '[NAME]',
  operands: [0, 1],
  text: 'Makes a volume, under a random name if none is given, and prints its name. One that is there already is no error if it has these labels and options.',
  options: {
    driver: value('DRIVER', 'There is one: local', oneOf('--driver', ['local']), {
      short: 'd',
      default: 'local',
    }),
    ignore: flag('Take one that is there as it is'),
    label: list('KEY=VALUE', 'Attach a label to the volume', parseLabel, { short: 'l' }),
    opt: list(
      'KEY=VALUE',
      'A directory of this machine under the name of a volume: type=none, o=bind, device=PATH',
      parseOption,
      { short: 'o' },
    ),
  },
  unsupported: { gid: 'tsrun run -v NAME:/place:U …', uid: 'tsrun run -v NAME:/place:U …' },
  examples: ['tsrun volume create data', EXAMPLE],
  async run(given, [written], context) {
    const name = written === undefined ? randomHex(32) : checkVolumeName(written, 'volume create');
    const options = checkOptions(Object.fromEntries(given.opt));
    const engine = await context.engine();
    const { makeVolume } = await import('../../engine/manage-volumes.ts');
    const labels = Object.fromEntries(given.label);
    makeVolume(engine, { name, anonymous: false, labels, options }, given.ignore);
    print(`${name}\n`);
    return 0;
  },
});
