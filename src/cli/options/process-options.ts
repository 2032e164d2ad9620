/** What the container's command is, and what it sees of itself. */
import { parseEntrypoint } from '../parse/entrypoint.ts';
import { parseAnnotation, parseUmask } from '../parse/isolation.ts';
import { parseLabel, readLabelFile } from '../parse/labels.ts';
import { checkSignal, checkUlimit, parseHostname } from '../parse/scalars.ts';
import { nonEmpty, wholeNumber } from '../parse/words-of-choice.ts';
import { asWritten, flag, list, value } from './option.ts';

/** Those that `exec` has too. */
export const COMMAND_OPTIONS = {
  env: list('NAME=VALUE', 'Set an environment variable; NAME alone passes on the one set here', asWritten, {
    short: 'e',
    example: '-e LANG=C.UTF-8 -e TERM',
  }),
  'env-file': list('FILE', 'Read environment variables from a file, NAME=VALUE on each line', asWritten),
  interactive: flag('Keep stdin open, and pass it on to the command', { short: 'i' }),
  privileged: flag(
    'All capabilities in the user namespace, no seccomp filter, no masked paths: never more than you may yourself',
  ),
  tty: flag('Give the command a terminal', { short: 't' }),
  user: value('USER[:GROUP]', 'User and group of the command, by name or number', nonEmpty('--user'), {
    short: 'u',
    default: 'as the image says',
    example: '-u 1000:1000',
  }),
  workdir: value('DIRECTORY', 'Working directory of the command', nonEmpty('--workdir'), {
    short: 'w',
    default: 'as the image says',
  }),
};

/** Of `run` and `exec`, not of `create`: descriptors are there as long as the caller. */
export const PRESERVE_OPTION = {
  'preserve-fds': value(
    'N',
    'Pass N descriptors besides the first three: 3 to N+2 here are 3 to N+2 in the container',
    wholeNumber('--preserve-fds', 0),
    { default: '0', example: '--preserve-fds 1' },
  ),
};

export const PROCESS_OPTIONS = {
  ...COMMAND_OPTIONS,
  annotation: list('KEY=VALUE', 'Attach an annotation to the runtime configuration', parseAnnotation),
  domainname: value('NAME', 'NIS domain name of the container', nonEmpty('--domainname')),
  'env-host': flag('Pass on all of your environment; the image and -e win over it'),
  entrypoint: value(
    'COMMAND',
    "Replace the image's entrypoint: a word, a JSON list, or '' for none",
    parseEntrypoint,
    {
      example: `--entrypoint '["/bin/sh","-c"]'`,
    },
  ),
  'http-proxy': flag(
    'Pass on your http_proxy, https_proxy, ftp_proxy, all_proxy and no_proxy, in small and in large letters; the image and -e win over them',
  ),
  'group-add': list('GROUP', 'Another group of the command', (text) => text.split(',')),
  hostname: value('NAME', 'Host name of the container', parseHostname, {
    short: 'h',
    default: 'the beginning of its id',
  }),
  init: flag('Run a small init as process 1, which passes on signals and reaps orphans'),
  label: list('KEY=VALUE', 'Attach a label to the container', parseLabel, { short: 'l' }),
  'label-file': list('FILE', 'Read labels from a file, one on each line', readLabelFile),
  'stop-signal': value('SIGNAL', 'What `tsrun stop` sends first', checkSignal, {
    default: 'as the image says, else SIGTERM',
  }),
  'stop-timeout': value(
    'SECONDS',
    'How long `tsrun stop` waits before it kills; -1 is for ever',
    wholeNumber('--stop-timeout', -1),
    {
      default: '10',
    },
  ),
  umask: value('MODE', 'What files are made without, as umask(2) has it', parseUmask, { default: '0022' }),
  unsetenv: list('NAME', 'Leave out a variable that the image sets', nonEmpty('--unsetenv')),
  'unsetenv-all': flag('Leave out all variables that the image sets'),
  ulimit: list('NAME=SOFT[:HARD]', 'A resource limit, setrlimit(2)', checkUlimit, {
    example: '--ulimit nofile=1024:4096',
  }),
};
