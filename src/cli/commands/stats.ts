import { isatty } from 'node:tty';
import type { ContainerStats } from '../../engine/container-stats.ts';
import type { ContainerView } from '../../engine/container-view.ts';
import type { Engine } from '../../engine/open-engine.ts';
import { TsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { humanBinarySize, humanSize } from '../format/human.ts';
import { formatList, type Row } from '../format/list.ts';
import { asWritten, flag, type Values, value } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { wholeNumber } from '../parse/words-of-choice.ts';
import { LATEST_OPTION, selectContainers } from '../select-containers.ts';

const HEADINGS = {
  ID: 'CONTAINER ID',
  Container: 'CONTAINER',
  Name: 'NAME',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET I/O',
  BlockIO: 'BLOCK I/O',
  PIDs: 'PIDS',
};
const COLUMNS = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'];

const OPTIONS = {
  ...LATEST_OPTION,
  all: flag('Those that do not run, too', { short: 'a' }),
  format: value('FORMAT', 'table, json (one object on each line), or a Go template', asWritten, {
    example: `--format '{{.Name}}: {{.CPUPerc}}'`,
  }),
  interval: value('SECONDS', 'How often to look', wholeNumber('--interval', 1), { short: 'i', default: '1' }),
  'no-reset': flag('Leave on the terminal what was printed before'),
  'no-stream': flag('Print once, of the last second'),
  'no-trunc': flag('Print ids in full'),
};
type Given = Values<typeof OPTIONS>;

const UNKNOWN = '--';
const pair = (first: number | undefined, second: number | undefined): string =>
  first === undefined || second === undefined
    ? `${UNKNOWN} / ${UNKNOWN}`
    : `${humanSize(first)} / ${humanSize(second)}`;
const percent = (number: number | undefined): string =>
  number === undefined ? UNKNOWN : `${number.toFixed(2)}%`;

function row(
  view: ContainerView,
  stats: ContainerStats | undefined,
  cpu: number | undefined,
  noTrunc: boolean,
): Row {
  const limit = stats?.memoryLimit ?? 0;
  return {
    BlockIO: pair(stats?.blocks?.read, stats?.blocks?.written),
    CPUPerc: percent(cpu),
    Container: view.id.slice(0, 12),
    ID: noTrunc ? view.id : view.id.slice(0, 12),
    MemPerc: percent(stats && (stats.memory / limit) * 100),
    MemUsage: stats
      ? `${humanBinarySize(stats.memory)} / ${humanBinarySize(limit)}`
      : `${UNKNOWN} / ${UNKNOWN}`,
    Name: view.name,
    NetIO: pair(stats?.network?.received, stats?.network?.sent),
    PIDs: stats ? String(stats.tasks) : UNKNOWN,
  };
}

/** What is to be shown at this moment. Throws ERR_TSRUN_CONTAINER_UNKNOWN for a name when `first`; later it has simply gone. */
async function select(
  engine: Engine,
  names: readonly string[],
  given: Given,
  first: boolean,
): Promise<ContainerView[]> {
  if (names.length === 0 && !given.latest) {
    const { listContainers } = await import('../../engine/container-view.ts');
    return listContainers(engine).containers.filter(({ state }) => given.all || state.init !== undefined);
  }
  const finds = await selectContainers(engine, names, { latest: given.latest });
  return finds.flatMap((find) => {
    try {
      return find();
    } catch (error) {
      const gone = error instanceof TsrunError && error.code === 'ERR_TSRUN_CONTAINER_UNKNOWN';
      if (first || !gone) throw error;
      return [];
    }
  });
}

const CLEAR = '\x1b[H\x1b[2J';
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const STATS = defineCommand({
  usage: '[CONTAINER…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text:
    'Prints, each second, how much CPU, memory, network and disk containers use; without a name, all that run. The figures are sums over the ' +
    "processes of a container (memory: their proportional set size; its limit: this machine's memory); what comes in by published ports passes no interface and is not counted; what cannot be known is `--`.",
  options: OPTIONS,
  examples: ['tsrun stats', 'tsrun stats --no-stream --format json web'],
  async run(given, names, context) {
    if (given.all && (given.latest || names.length > 0))
      throw usageError('--all and a name contradict each other');
    const engine = await context.engine();
    const { containerStats, cpuPercent } = await import('../../engine/container-stats.ts');
    const clears = isatty(1) && !given['no-stream'] && !given['no-reset'] && given.format !== 'json';
    const interval = given['no-stream'] ? 1 : (given.interval ?? 1);
    // By container and start: one that was started again counts anew.
    let earlier = new Map<string, ContainerStats>();
    for (let round = 0; ; round++) {
      const views = await select(engine, names, given, round === 0);
      if (views.length === 0 && names.length > 0) return 0;
      const seen = new Map<string, ContainerStats>();
      const rows = views.map((view) => {
        const key = `${view.id} ${view.state.startedAt}`;
        const stats = containerStats(view);
        if (stats) seen.set(key, stats);
        return row(view, stats, stats && cpuPercent(earlier.get(key), stats), given['no-trunc']);
      });
      earlier = seen;
      // A share of CPU needs two looks: the first is not shown.
      if (round > 0) {
        if (clears) print(CLEAR);
        print(formatList(rows, { format: given.format, columns: COLUMNS, headings: HEADINGS }));
        if (given['no-stream']) return 0;
      }
      await sleep(interval * 1000);
    }
  },
});
