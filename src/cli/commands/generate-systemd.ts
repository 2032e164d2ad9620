import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeRoot } from '../../store/store-root.ts';
import { defineCommand } from '../command.ts';
import { launcher } from '../launcher.ts';
import { flag, list, value } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { nonEmpty, oneOf, wholeNumber } from '../parse/words-of-choice.ts';
import { RESTART_UNIT, restartUnit, systemdUnit } from '../systemd-unit.ts';

/** systemd.service(5) */
const POLICIES = [
  ...['no', 'always', 'on-success', 'on-failure', 'on-abnormal', 'on-watchdog', 'on-abort'],
] as const;

/** Options that the unit for all containers has no use for. */
const OF_CONTAINER = [
  ...['name', 'restart-policy', 'time', 'container-prefix', 'separator', 'restart-sec', 'start-timeout'],
  ...['after', 'wants', 'requires', 'no-header'],
] as const;

/** systemd.unit(5). Throws ERR_TSRUN_USAGE. */
const unitName =
  (option: string) =>
  (text: string): string => {
    if (/^[\w:.@\\-]+$/.test(text)) return text;
    throw usageError(`${option} "${text}": not the name of a unit`, `${option} database.service`);
  };

/** @param toFile into the current directory; its path is printed then */
function emit(unit: string, text: string, toFile: boolean): number {
  if (toFile) {
    const path = join(process.cwd(), unit);
    writeFileSync(path, text);
    print(`${path}\n`);
  } else print(text);
  return 0;
}

export const GENERATE_SYSTEMD = defineCommand({
  usage: '[CONTAINER]',
  operands: [0, 1],
  text:
    'Prints a systemd user unit that starts a container, restarts it, and stops it. The container stays as it is between starts: its ' +
    'restarts are the unit’s business, so make it without --restart. With --restart-service, the unit is one for all containers whose restart ' +
    'policy is always or unless-stopped: it starts them after a reboot.',
  options: {
    name: flag('Call the container by its name, and not by its id', { short: 'n' }),
    files: flag('Write container-NAME.service here, and print its path', { short: 'f' }),
    'restart-service': flag(`Print ${RESTART_UNIT}, for all containers with a restart policy`),
    'restart-policy': value(
      'POLICY',
      `Restart= of the unit: ${POLICIES.join(', ')}`,
      oneOf('--restart-policy', POLICIES),
      {
        default: 'on-failure',
      },
    ),
    time: value(
      'SECONDS',
      'How long the container may take to stop; -1 is for ever',
      wholeNumber('--time', -1),
      {
        short: 't',
        aliases: ['stop-timeout'],
        default: "the container's",
      },
    ),
    'restart-sec': value(
      'SECONDS',
      'RestartSec= of the unit: the pause before it is started again',
      wholeNumber('--restart-sec', 0),
    ),
    'start-timeout': value(
      'SECONDS',
      'TimeoutStartSec= of the unit: how long a start may take',
      wholeNumber('--start-timeout', 0),
      { default: '300' },
    ),
    after: list('UNIT', 'Start it after that unit', unitName('--after')),
    wants: list('UNIT', 'Start that unit with it', unitName('--wants')),
    requires: list('UNIT', 'Start that unit with it; if it fails this one does', unitName('--requires')),
    'no-header': flag('Leave the comment on top out'),
    'container-prefix': value('PREFIX', 'What the unit’s name begins with', nonEmpty('--container-prefix'), {
      default: 'container',
    }),
    separator: value('TEXT', 'What is between the prefix and the name', nonEmpty('--separator'), {
      default: '-',
    }),
  },
  unsupported: {
    new: 'make the container once, with `tsrun create`',
    env: 'make the container with it: tsrun create -e NAME=VALUE …',
    e: 'make the container with it: tsrun create -e NAME=VALUE …',
    format: '',
    'pod-prefix': 'there are no pods yet',
    template: 'it is made of a container that is there',
  },
  examples: [
    'tsrun generate systemd --name web',
    'tsrun generate systemd --files --restart-policy always web',
    'tsrun generate systemd --restart-service >~/.config/systemd/user/tsrun-restart.service',
  ],
  async run(given, [wanted = ''], context) {
    const root = context.storeRoot();
    const usual = storeRoot();
    const tsrun = [launcher(), ...(root === usual ? [] : ['--root', root])];
    if (given['restart-service'] !== (wanted === ''))
      throw usageError(
        'the unit of a container, or --restart-service: one of the two',
        'tsrun generate systemd web',
      );
    if (given['restart-service']) {
      const isGiven = (option: (typeof OF_CONTAINER)[number]): boolean => {
        const written = given[option];
        return Array.isArray(written) ? written.length > 0 : written === 0 || Boolean(written);
      };
      const vain = OF_CONTAINER.find(isGiven);
      if (vain !== undefined) throw usageError(`--${vain} is of the unit of a container`);
      return emit(RESTART_UNIT, restartUnit({ tsrun, storeRoot: root }), given.files);
    }
    const engine = await context.engine();
    const { findContainer } = await import('../../engine/container-view.ts');
    const { id, name, record } = findContainer(engine, wanted);
    const container = given.name ? name : id;
    const unit = `${given['container-prefix'] ?? 'container'}${given.separator ?? '-'}${container}.service`;
    const text = systemdUnit({
      container,
      description: `tsrun ${unit}`,
      tsrun,
      storeRoot: root,
      restartPolicy: given['restart-policy'] ?? 'on-failure',
      stopTimeout: given.time ?? record.stopTimeout,
      stopSignal: record.stopSignal,
      sdnotify: record.sdnotify,
      after: given.after,
      wants: given.wants,
      requires: given.requires,
      restartSeconds: given['restart-sec'],
      startSeconds: given['start-timeout'],
      header: !given['no-header'],
    }).replace(' --now UNIT', ` --now ${unit}`);
    return emit(unit, text, given.files);
  },
});
