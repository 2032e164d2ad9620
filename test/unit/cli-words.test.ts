import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asWritten, flag, list, type OptionTable, value } from '../../src/cli/options/option.ts';
import { closest, editDistance } from '../../src/cli/parse/closest.ts';
import { parseWords } from '../../src/cli/parse/words.ts';

const TABLE = {
  detach: flag('', { short: 'd' }),
  env: list('NAME=VALUE', '', asWritten, { short: 'e' }),
  interactive: flag('', { short: 'i' }),
  name: value('NAME', '', asWritten),
  network: value('MODE', '', asWritten, { aliases: ['net'] }),
  hostname: value('NAME', '', asWritten, { short: 'h' }),
  'sig-proxy': flag('', { default: true }),
  time: value('N', '', Number, { short: 't' }),
};

const RUN = {
  command: 'tsrun run',
  optionsEndAtOperand: true,
  unsupported: { memory: 'limits are not set', m: '' },
};
const STOP = { command: 'tsrun stop', optionsEndAtOperand: false };

const parse = (words: string[], rules: typeof STOP = RUN, table: OptionTable = TABLE) =>
  parseWords(table, words, rules);

describe('options', () => {
  it.each<[string[], object]>([
    [['-d'], { detach: true }],
    [['--detach'], { detach: true }],
    [['--detach=true'], { detach: true }],
    [['--detach=1'], { detach: true }],
    [['--detach=false'], { detach: false }],
    [['-d', '--detach=0'], { detach: false }],
    [['--sig-proxy=false'], { 'sig-proxy': false }],
    [['--name', 'web'], { name: 'web' }],
    [['--name=web'], { name: 'web' }],
    [['--name='], { name: '' }],
    [['--name', 'a', '--name', 'b'], { name: 'b' }],
    [['--name', '-x'], { name: '-x' }],
    [['--net', 'none'], { network: 'none' }],
    [['--net=none'], { network: 'none' }],
    [['-h', 'web'], { hostname: 'web' }],
    [['-hweb'], { hostname: 'web' }],
    [['-t', '-1'], { time: -1 }],
    [['-t=5'], { time: 5 }],
    [['-t5'], { time: 5 }],
    [['-di'], { detach: true, interactive: true }],
    [['-dit', '5'], { detach: true, interactive: true, time: 5 }],
    [['-dit5'], { detach: true, interactive: true, time: 5 }],
    [
      ['-e', 'A=1', '-eB=2', '-e=C=3', '--env', 'D=4', '--env=E=5'],
      { env: ['A=1', 'B=2', 'C=3', 'D=4', 'E=5'] },
    ],
    [['-e', 'A=-x --y'], { env: ['A=-x --y'] }],
  ])('%j', async (words, expected) => {
    const { values, operands, help } = await parse([...words, 'image']);
    expect(values).toMatchObject(expected);
    expect(operands).toEqual(['image']);
    expect(help).toBe(false);
  });

  it('have defaults when they are not given', async () => {
    const { values } = await parse(['image']);
    expect(values).toEqual({
      detach: false,
      env: [],
      interactive: false,
      name: undefined,
      network: undefined,
      hostname: undefined,
      'sig-proxy': true,
      time: undefined,
    });
  });

  it('end at the first operand of run: the rest is the command of the container', async () => {
    const { values, operands } = await parse(['-d', 'image', 'sh', '-d', '--bogus', '--', '-e']);
    expect(values).toMatchObject({ detach: true, env: [] });
    expect(operands).toEqual(['image', 'sh', '-d', '--bogus', '--', '-e']);
  });

  it('mix with the operands of other commands', async () => {
    const { values, operands } = await parse(['a', '-t', '3', 'b', '-d'], STOP);
    expect(values).toMatchObject({ time: 3, detach: true });
    expect(operands).toEqual(['a', 'b']);
  });

  it('end at --, which is no operand', async () => {
    expect((await parse(['-d', '--', '-i', 'x'], STOP)).operands).toEqual(['-i', 'x']);
    expect((await parse(['--', 'image', '-i'])).operands).toEqual(['image', '-i']);
  });

  it('leave - alone, which is an operand', async () => {
    expect((await parse(['-', 'x'], STOP)).operands).toEqual(['-', 'x']);
  });

  it('ask for help, with -h where it is nothing else', async () => {
    expect((await parse(['--help'])).help).toBe(true);
    expect((await parse(['-h'], STOP, { all: flag('') })).help).toBe(true);
    expect((await parse(['image', '--help'])).help).toBe(false);
  });

  it('survive being written in any of their forms', async () => {
    const word = fc.string({ minLength: 1, unit: 'grapheme-ascii' }).filter((text) => !text.startsWith('='));
    const written = fc.oneof(
      word.map((text) => ['-e', text]),
      word.map((text) => [`-e${text}`]),
      word.map((text) => [`-e=${text}`]),
      word.map((text) => ['--env', text]),
      word.map((text) => [`--env=${text}`]),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(written), fc.array(word), async (options, command) => {
        const { values, operands } = await parseWords(TABLE, [...options.flat(), 'image', ...command], RUN);
        const expected = options.map((words) => words[1] ?? words[0]?.replace(/^(?:-e=|--env=|-e)/, ''));
        expect(values.env).toEqual(expected);
        expect(operands).toEqual(['image', ...command]);
      }),
    );
  });
});

describe('refusals', () => {
  it.each<[string[], string, string | undefined]>([
    [['--bogus', 'x'], 'tsrun run has no option --bogus', 'tsrun run --help'],
    [['--nmae', 'x'], 'tsrun run has no option --nmae', 'did you mean --name?'],
    [['-Z', 'x'], 'tsrun run has no option -Z', 'tsrun run --help'],
    [['-dZ', 'x'], 'tsrun run has no option -Z', 'tsrun run --help'],
    [['--memory', '1g', 'x'], 'tsrun run does not support --memory', 'limits are not set'],
    [['--memory=1g', 'x'], 'tsrun run does not support --memory', 'limits are not set'],
    [['-m', '1g', 'x'], 'tsrun run does not support -m', undefined],
    [['--name'], '--name needs a value: --name NAME', 'tsrun run --help'],
    [['-e'], '--env needs a value: --env NAME=VALUE', 'tsrun run --help'],
    [['--detach=maybe', 'x'], '--detach=maybe is neither true nor false', '--detach=false'],
  ])('%j', async (words, message, hint) => {
    await expect(parse(words)).rejects.toMatchObject({
      code: 'ERR_TSRUN_USAGE',
      exitCode: 125,
      message,
      hint,
    });
  });
});

describe('closest', () => {
  it('counts edits, a swap as one', () => {
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('nmae', 'name')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });

  it('is symmetric, and zero only for equals', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });

  it('names nothing that is far', () => {
    expect(closest('volum', ['volume', 'user'])).toBe('volume');
    expect(closest('xyz', ['volume', 'user'])).toBeUndefined();
  });
});
