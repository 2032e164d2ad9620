import type { DiskUsage } from '../../engine/disk-usage.ts';
import { shortDigest } from '../../spec/digest.ts';
import { defineCommand } from '../command.ts';
import { ago, humanSize } from '../format/human.ts';
import { formatList, type Row } from '../format/list.ts';
import { splitReference } from '../image-row.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';

const HEADINGS = {
  Type: 'TYPE',
  Total: 'TOTAL',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
};

/** `1.2MB (40%)` */
function reclaimable(bytes: number, of: number): string {
  return `${humanSize(bytes)} (${of === 0 ? 0 : Math.round((bytes / of) * 100)}%)`;
}

function summaryRow(type: string, total: number, active: number, size: number, unused: number): Row {
  return {
    Type: type,
    Total: total,
    TotalCount: total,
    Active: active,
    RawSize: size,
    RawReclaimable: unused,
    Size: humanSize(size),
    Reclaimable: reclaimable(unused, size),
  };
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
const isRunning = (phase: string): boolean => phase !== 'created' && phase !== 'exited';

function summary({ images, layers, blobs, containers, volumes }: DiskUsage): Row[] {
  const stopped = containers.filter(({ view }) => !isRunning(view.state.phase));
  const idle = volumes.filter(({ links }) => links === 0);
  const sizes = (items: readonly { size: number }[]): number => sum(items.map(({ size }) => size));
  const used = images.filter((image) => image.containers > 0).length;
  return [
    summaryRow('Images', images.length, used, layers.size, layers.unused),
    summaryRow('Downloads', blobs.count, blobs.active, blobs.size, blobs.unused),
    summaryRow(
      'Containers',
      containers.length,
      containers.length - stopped.length,
      sizes(containers),
      sizes(stopped),
    ),
    summaryRow('Local Volumes', volumes.length, volumes.length - idle.length, sizes(volumes), sizes(idle)),
  ];
}

const IMAGE_HEADINGS = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  ImageID: 'IMAGE ID',
  Created: 'CREATED',
  Size: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
  Containers: 'CONTAINERS',
};
const CONTAINER_HEADINGS = {
  ContainerID: 'CONTAINER ID',
  Image: 'IMAGE',
  Command: 'COMMAND',
  LocalVolumes: 'LOCAL VOLUMES',
  Size: 'SIZE',
  Created: 'CREATED',
  Status: 'STATUS',
  Names: 'NAMES',
};
const VOLUME_HEADINGS = { VolumeName: 'VOLUME NAME', Links: 'LINKS', Size: 'SIZE' };

interface Details {
  images: Row[];
  containers: Row[];
  volumes: Row[];
}

function details({ images, containers, volumes }: DiskUsage, now: number): Details {
  return {
    images: images.flatMap(({ records, created, size, shared, containers: uses }) =>
      records.map((record) => ({
        Repository: splitReference(record).repository,
        Tag: splitReference(record).tag,
        ImageID: shortDigest(record.imageId),
        Created: created === undefined ? 'N/A' : ago(created, now),
        Size: humanSize(size),
        SharedSize: humanSize(shared),
        UniqueSize: humanSize(size - shared),
        Containers: uses,
      })),
    ),
    containers: containers.map(({ view, size }) => ({
      ContainerID: view.id.slice(0, 12),
      Image: view.record.image,
      Command: view.record.command.join(' '),
      LocalVolumes: view.record.mounts.filter(({ type }) => type === 'volume').length,
      Size: humanSize(size),
      Created: ago(view.record.createdAt, now),
      Status: view.state.phase,
      Names: view.name,
    })),
    volumes: volumes.map(({ volume, size, links }) => ({
      VolumeName: volume.name,
      Links: links,
      Size: humanSize(size),
    })),
  };
}

function table(title: string, rows: readonly Row[], headings: Readonly<Record<string, string>>): string {
  const list = formatList(rows, { format: undefined, columns: Object.keys(headings), headings });
  return `${title}\n\n${list}`;
}

export const SYSTEM_DF = defineCommand({
  usage: '',
  operands: [0, 0],
  text:
    'Prints how much room images, what was downloaded of them, containers and volumes take, and how much of it `tsrun system prune -a --volumes` ' +
    'would make free. Layers count as their archives say, containers and volumes as they are on the disk.',
  options: {
    format: value('FORMAT', 'table, json (one object on each line), or a Go template', asWritten, {
      example: `--format '{{.Type}}: {{.Size}}'`,
    }),
    verbose: flag('A line for each image, container and volume', { short: 'v' }),
  },
  examples: ['tsrun system df', 'tsrun system df -v'],
  async run({ format, verbose }, _operands, context) {
    if (verbose && format !== undefined && format !== 'json')
      throw usageError('--verbose and --format contradict each other, unless it is json');
    const engine = await context.engine();
    const { diskUsage } = await import('../../engine/disk-usage.ts');
    const usage = await diskUsage(engine);
    if (!verbose) {
      const columns = ['Type', 'Total', 'Active', 'Size', 'Reclaimable'];
      print(formatList(summary(usage), { format, columns, headings: HEADINGS }));
      return 0;
    }
    const { images, containers, volumes } = details(usage, Date.now());
    if (format === 'json') {
      print(`${JSON.stringify({ Images: images, Containers: containers, Volumes: volumes })}\n`);
      return 0;
    }
    const tables = [
      table('Images space usage:', images, IMAGE_HEADINGS),
      table('Containers space usage:', containers, CONTAINER_HEADINGS),
      table('Local Volumes space usage:', volumes, VOLUME_HEADINGS),
    ];
    print(tables.join('\n'));
    return 0;
  },
});
