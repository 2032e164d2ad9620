import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  DEFAULT_SCOPE,
  isRegistryScope,
  TRUST_TYPES,
  type Trust,
  type TrustRow,
  type TrustType,
  trustRows,
  withTrust,
} from '../../image/policy/edit-policy.ts';
import { findPolicy } from '../../image/policy/read-policy.ts';
import { changePolicy } from '../../image/policy/save-policy.ts';
import { defineCommand } from '../command.ts';
import { formatList } from '../format/list.ts';
import { flag, list, value } from '../options/option.ts';
import { print, say } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { nonEmpty, oneOf } from '../parse/words-of-choice.ts';

const COLUMNS = ['transport', 'name', 'type', 'id', 'store'];
const HEADINGS = { transport: 'TRANSPORT', name: 'NAME', type: 'TYPE', id: 'ID', store: 'STORE' };

interface Words {
  json: boolean;
  noheading: boolean;
  raw: boolean;
  pubkeysfile: string[];
  type: TrustType | undefined;
}

/** What counts when there is no file. */
const NO_POLICY = '{"default":[{"type":"insecureAcceptAnything"}]}';

function show(given: Words, operands: readonly string[]): void {
  if (operands.length > 0) throw usageError('image trust show takes no operand: it shows all rules');
  if (given.type !== undefined || given.pubkeysfile.length > 0)
    throw usageError('--type and --pubkeysfile are for image trust set');
  const { file, text } = findPolicy(undefined, process.env) ?? { file: 'no policy.json', text: NO_POLICY };
  const rows = trustRows(text, file);
  if (given.raw) print(text.endsWith('\n') ? text : `${text}\n`);
  else if (given.json) print(`${JSON.stringify(rows.map(asDocument), undefined, 4)}\n`);
  else {
    const cells = rows.map((row) => ({ ...row, id: row.keys.join(','), store: '' }));
    const options = { format: undefined, columns: COLUMNS, headings: HEADINGS, noHeading: given.noheading };
    print(formatList(cells, options));
  }
}

/** podman's fields. */
const asDocument = ({ transport, name, type, keys }: TrustRow): object => ({
  transport,
  name: name === DEFAULT_SCOPE && transport === 'all' ? '* (default)' : name,
  repo_name: name,
  ...(keys.length > 0 && { keys }),
  type,
});

function trustOf(given: Words): Trust {
  const { type = 'signedBy', pubkeysfile } = given;
  const takesKeys = type === 'signedBy' || type === 'sigstoreSigned';
  if (takesKeys && pubkeysfile.length === 0)
    throw usageError(`--type ${type} needs a public key`, `--type ${type} --pubkeysfile KEY.pub`);
  if (!takesKeys && pubkeysfile.length > 0) throw usageError(`--type ${type} takes no --pubkeysfile`);
  const keys = pubkeysfile.map((path) => resolve(path));
  for (const key of keys) {
    if (!statSync(key, { throwIfNoEntry: false })?.isFile())
      throw usageError(`--pubkeysfile ${key}: there is no such file`);
  }
  return { type, keys };
}

function set(given: Words, operands: readonly string[]): void {
  const [scope, ...more] = operands;
  if (scope === undefined || more.length > 0)
    throw usageError('image trust set needs one registry, repository or name, or default');
  if (given.json || given.raw || given.noheading)
    throw usageError('--json, --raw and --noheading are for image trust show');
  if (scope !== DEFAULT_SCOPE && !isRegistryScope(scope))
    throw usageError(
      `${scope} is no registry, nor a part of one`,
      'tsrun image trust set --type reject docker.io',
    );
  const trust = trustOf(given);
  const file = changePolicy(process.env, (text, from) => withTrust(text, from, scope, trust));
  if (trust.type === 'signedBy')
    say(
      `tsrun: warning: signatures by GPG are not verified here: tsrun refuses what ${file} says of ${scope}\n`,
    );
}

export const IMAGE_TRUST = defineCommand({
  usage: 'show | set REGISTRY[/REPOSITORY]|default',
  operands: [1, 3],
  text:
    'Shows which images may be used (policy.json), or changes it for a registry, a part of one, or all that no rule is about. What is changed is the ' +
    "user's own file, ~/.config/containers/policy.json; it begins as a copy of the system's, and podman and skopeo heed it too.",
  options: {
    type: value(
      'TYPE',
      'With set: accept, reject, sigstoreSigned, or signedBy (GPG, which podman verifies, and tsrun does not)',
      trustType,
      { short: 't', default: 'signedBy' },
    ),
    pubkeysfile: list(
      'FILE',
      'With set: a public key of the signers; of several all must have signed',
      nonEmpty('--pubkeysfile'),
      {
        short: 'f',
      },
    ),
    json: flag('With show: as JSON', { short: 'j' }),
    noheading: flag('With show: no line with the headings', { short: 'n' }),
    raw: flag('With show: the file as it is'),
  },
  examples: [
    'tsrun image trust show',
    'tsrun image trust set --type reject default',
    'tsrun image trust set --type accept docker.io/library',
    'tsrun image trust set --type sigstoreSigned --pubkeysfile cosign.pub registry.example.com/team',
  ],
  async run(given, [verb = '', ...operands]) {
    if (verb === 'show') show(given, operands);
    else if (verb === 'set') set(given, operands);
    else throw usageError(`image trust ${verb}: neither show nor set`, 'tsrun image trust show');
    return 0;
  },
});

function trustType(text: string): TrustType {
  const exact = TRUST_TYPES.find((type) => type.toLowerCase() === text.toLowerCase());
  return exact ?? oneOf('--type', TRUST_TYPES)(text);
}
