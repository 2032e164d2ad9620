import type { Engine } from '../../engine/open-engine.ts';
import { shortDigest } from '../../spec/digest.ts';
import type { ChainId } from '../../spec/image.ts';
import { type ImageRecord, isDangling } from '../../store/image-record.ts';
import { LayerStore } from '../../store/layers.ts';
import { defineCommand } from '../command.ts';
import { humanSize } from '../format/human.ts';
import { localImage } from '../image-filter.ts';
import { imageSize } from '../image-row.ts';
import { flag } from '../options/option.ts';
import { print } from '../output.ts';

const nameOf = (image: ImageRecord): string =>
  isDangling(image) ? shortDigest(image.imageId) : image.reference;

function layerLine(layers: LayerStore, chainId: ChainId, isLast: boolean, ends: readonly string[]): string {
  const size = layers.has(chainId) ? humanSize(layers.record(chainId).size) : 'lost';
  const top = ends.length > 0 ? ` Top Layer of: [${ends.join(' ')}]` : '';
  return `${isLast ? '└──' : '├──'} ID: ${shortDigest(chainId)} Size: ${size.padStart(6)}${top}\n`;
}

/** The layers, the lowest first, each with the images that end in it. */
function layerLines(engine: Engine, record: ImageRecord): string[] {
  const images = engine.images.list();
  const layers = new LayerStore(engine.paths);
  return record.layers.map(({ chainId }, i) => {
    const ends = images.filter((image) => image.layers.at(-1)?.chainId === chainId);
    const isLast = i === record.layers.length - 1;
    return layerLine(layers, chainId, isLast, ends.map(nameOf));
  });
}

/** A layer that stands on the image's, with what stands on it in turn. */
interface Above {
  chainId: ChainId;
  /** Names of images that end in it; ids of those without one. */
  names: string[];
  above: Map<ChainId, Above>;
}

/** The layers on top of the image's, of all images of the store that stand on all of its layers. */
function layersAbove(engine: Engine, { layers }: ImageRecord): Map<ChainId, Above> {
  const roots = new Map<ChainId, Above>();
  const top = layers.at(-1)?.chainId;
  for (const image of engine.images.list()) {
    if (top !== undefined && image.layers[layers.length - 1]?.chainId !== top) continue;
    let level = roots;
    for (const [i, { chainId }] of image.layers.entries()) {
      if (i < layers.length) continue;
      const node = level.get(chainId) ?? { chainId, names: [], above: new Map<ChainId, Above>() };
      level.set(chainId, node);
      level = node.above;
      if (i === image.layers.length - 1) node.names.push(nameOf(image));
    }
  }
  return roots;
}

function aboveLines(engine: Engine, level: ReadonlyMap<ChainId, Above>, indent: string): string[] {
  const layers = new LayerStore(engine.paths);
  return [...level.values()].flatMap(({ chainId, names, above }, i) => {
    const isLast = i === level.size - 1;
    return [
      indent + layerLine(layers, chainId, isLast, names),
      ...aboveLines(engine, above, `${indent}${isLast ? '    ' : '│   '}`),
    ];
  });
}

export const IMAGE_TREE = defineCommand({
  usage: 'IMAGE',
  operands: [1, 1],
  text: 'Prints the layers of an image, the lowest first, with the images of the store that end in each.',
  options: { whatrequires: flag('Print the layers and images that stand on the image instead') },
  examples: ['tsrun image tree httpd', 'tsrun image tree --whatrequires busybox'],
  async run(given, [name = ''], context) {
    const engine = await context.engine();
    const record = localImage(engine, name);
    const names = engine.images
      .namesOf(record)
      .flatMap((image) => (isDangling(image) ? [] : [image.reference]));
    print(
      [
        `Image ID: ${shortDigest(record.imageId)}\n`,
        `Tags:     [${names.join(' ')}]\n`,
        `Size:     ${humanSize(imageSize(engine, record))}\n`,
        'Image Layers\n',
        ...(given.whatrequires
          ? aboveLines(engine, layersAbove(engine, record), '')
          : layerLines(engine, record)),
      ].join(''),
    );
    return 0;
  },
});
