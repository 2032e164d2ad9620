/** What `tsrun explain` prints. The snapshots are the programs themselves: a change of the launch is a diff there, to be read. */
import { describe, expect, it } from 'vitest';
import { numberSteps } from '../../src/explain/numbered-steps.ts';
import type { Plan } from '../../src/explain/plan.ts';
import { printJson } from '../../src/explain/print-json.ts';
import { printTable } from '../../src/explain/print-table.ts';
import { mountSteps } from '../../src/explain/shell/mounts.ts';
import { styleFor } from '../../src/explain/style.ts';
import { exampleConfig, exampleExec, exampleLaunch, examplePlan } from '../support/example-plan.ts';

/** The supervisor's binary is somewhere else in each tree, and on each architecture. */
const print = (plan: Plan, width = 130): string =>
  printTable(plan, { width, color: false }).replaceAll(
    /"[^"]*\/native\/[^"/]+\/supervisor"/g,
    '"…/native/…/supervisor"',
  );

const snapshot = (name: string): string => new URL(`snapshots/${name}.txt`, import.meta.url).pathname;

describe('the plan for a person', () => {
  it('of a default container', async () => {
    await expect(print(examplePlan())).toMatchFileSnapshot(snapshot('explain-run'));
  });

  it('of a container with a terminal, by a user without subordinate ids', async () => {
    const plan = { ...examplePlan('terminal'), idMaps: examplePlan('single').idMaps };
    const config = exampleConfig({ tty: true }, true);
    const programs = [
      { title: 'tsrun → supervisor', program: exampleLaunch(plan.idMaps) },
      ...plan.programs.slice(1),
    ];
    await expect(print({ ...plan, config, programs })).toMatchFileSnapshot(
      snapshot('explain-run-single-id-terminal'),
    );
  });

  it('of an exec, which joins', async () => {
    const plan = examplePlan();
    const config = exampleConfig();
    config.process = { ...config.process, args: ['ps'], user: { uid: 33, gid: 33, additionalGids: [] } };
    const programs = [
      { title: 'tsrun → supervisor', program: exampleLaunch(plan.idMaps, 30, [8]) },
      { title: 'supervisor → container', program: exampleExec(config) },
    ];
    const text = print({
      ...plan,
      commandLine: ['tsrun', 'exec', 'web', 'ps'],
      joins: true,
      config,
      programs,
    });
    await expect(text).toMatchFileSnapshot(snapshot('explain-exec'));
  });

  it('has every step, in order, with its number', () => {
    const plan = examplePlan();
    const numbers = [...print(plan).matchAll(/^ *(\d+) +(?:user|rootless|supervisor|container|helper) /gm)];
    const count = numberSteps(plan.programs.map(({ program }) => program)).flat().length;
    expect(numbers.map(([, number]) => Number(number))).toEqual(
      Array.from({ length: count }, (_, i) => i + 1),
    );
  });

  it('says a reason once for steps that share it', () => {
    const text = print(examplePlan());
    expect(text.match(/# keep its words/g)?.length).toBe(2);
    expect(text.match(/dup3\(\$helpers/g)?.length).toBe(4);
  });

  it('keeps to the width where words allow it, and wraps nothing for a pipe', () => {
    const narrow = print(examplePlan(), 80).split('\n');
    const tooLong = narrow.filter((line) => line.length > 80 && /\S \S+$/.test(line.slice(20)));
    expect(tooLong).toEqual([]);
    const wide = print(examplePlan(), Number.POSITIVE_INFINITY);
    const steps = numberSteps(examplePlan().programs.map(({ program }) => program)).flat();
    expect(wide.split('\n').filter((line) => /^ +\d+ /.test(line)).length).toBe(steps.length);
  });

  it('lets no escape sequence of an image or a command through', () => {
    const plan = examplePlan();
    plan.config.process.args = ['\x1b[2J', '\x9b31m'];
    plan.config.process.env = ['X=\x1b]0;title\x07'];
    const text = print({ ...plan, commandLine: ['tsrun', '\x1b[2J'] });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  });

  it('is coloured on a terminal only, and not with NO_COLOR', () => {
    expect(styleFor({ isTTY: true, columns: 100 }, {})).toEqual({ width: 100, color: true });
    expect(styleFor({ isTTY: true, columns: 100 }, { NO_COLOR: '1' }).color).toBe(false);
    expect(styleFor({ isTTY: true, columns: 100 }, { NO_COLOR: '' }).color).toBe(true);
    expect(styleFor({ isTTY: true, columns: 100 }, { TERM: 'dumb' }).color).toBe(false);
    expect(styleFor({}, {})).toEqual({ width: Number.POSITIVE_INFINITY, color: false });
    const colored = printTable(examplePlan(), { width: 130, color: true });
    const plain = printTable(examplePlan(), { width: 130, color: false });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(colored.replaceAll(/\x1b\[\d+m/g, '')).toBe(plain);
    expect(colored).not.toBe(plain);
  });
});

describe('the plan as a script', () => {
  it('says what it leaves out in comments, which no path can end', () => {
    const plan = examplePlan();
    const options = ['rbind', 'x-mount-namespace=/proc/7/ns/mnt'];
    plan.config.mounts = [{ destination: '/a\nrm -r b', type: 'bind', source: '/dev/shm', options }];
    expect(mountSteps(plan)).toEqual([
      '# Left out: /a',
      '# rm -r b of the other container, as mount(8) takes nothing from there.',
    ]);
  });
});

describe('the plan as JSON', () => {
  const plan = examplePlan();
  const document = JSON.parse(printJson(plan));

  it('has all of the plan and all steps as data', () => {
    const { programs, ...rest } = plan;
    expect(document).toMatchObject(JSON.parse(JSON.stringify(rest)));
    const expected = numberSteps(programs.map(({ program }) => program));
    expect(document.programs.map((p: { steps: unknown[] }) => p.steps.length)).toEqual(
      expected.map((s) => s.length),
    );
  });

  it('tells a step’s call both decoded and undecoded', () => {
    const [first] = document.programs[0].steps;
    expect(first).toEqual({
      number: 1,
      depth: 0,
      actor: 'user',
      why: 'what the supervisor is to do',
      call: 'memfd_create("tsrun-spec", MFD_CLOEXEC|MFD_ALLOW_SEALING) = $spec',
      op: 'syscall',
      name: 'memfd_create',
      arguments: ['tsrun-spec', 3],
      result: { slot: expect.any(Number), name: 'spec' },
    });
  });

  it('loses no bit of a large number', () => {
    const steps = document.programs.flatMap((p: { steps: { op: string; flags?: unknown }[] }) => p.steps);
    const clone = steps.find(
      (step: { op: string; flags?: unknown }) => step.op === 'clone' && step.flags !== 0,
    );
    expect(clone.flags).toBe(0x10020000);
    const data = steps.flatMap((step: { arguments?: unknown[] }) => step.arguments ?? []);
    expect(data.every((value: unknown) => typeof value !== 'number' || Number.isSafeInteger(value))).toBe(
      true,
    );
  });
});
