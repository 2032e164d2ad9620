/** The options that come before the command. */
import { nonEmpty, oneOf } from '../parse/words-of-choice.ts';
import { flag, value } from './option.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export const GLOBAL_OPTIONS = {
  debug: flag('Print the whole chain of causes of an error'),
  'log-level': value(
    'LEVEL',
    'What is said on stderr: debug, info, warn or error',
    oneOf('--log-level', LOG_LEVELS),
    {
      default: 'warn',
    },
  ),
  root: value('DIRECTORY', 'Where images and containers are kept', nonEmpty('--root'), {
    default: '$XDG_DATA_HOME/tsrun',
  }),
  'storage-driver': value(
    'DRIVER',
    'How root file systems are made: overlay, fuse-overlayfs or copy',
    oneOf('--storage-driver', ['overlay', 'fuse-overlayfs', 'copy']),
    { default: 'the first of these that works' },
  ),
  version: flag('Print the version', { short: 'v' }),
};
