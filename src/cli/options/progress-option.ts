/** How pulls and pushes are shown. */
import { oneOf } from '../parse/words-of-choice.ts';
import { value } from './option.ts';

const PROGRESS_MODES = ['auto', 'tty', 'plain', 'json', 'quiet'] as const;

export const PROGRESS_OPTION = {
  progress: value(
    'HOW',
    'How progress is shown: auto, tty, plain, json or quiet',
    oneOf('--progress', PROGRESS_MODES),
    { default: 'auto' },
  ),
};
