import { isDangling } from '../../store/image-record.ts';
import { LayerStore } from '../../store/layers.ts';
import { defineCommand } from '../command.ts';
import { humanSize } from '../format/human.ts';
import { localImage } from '../image-filter.ts';
import { imageSize } from '../image-row.ts';
import { print } from '../output.ts';

const ID_LENGTH = 12;
const short = (digest: string): string => digest.slice('sha256:'.length).slice(0, ID_LENGTH);

export const IMAGE_TREE = defineCommand({
  usage: 'IMAGE',
  operands: [1, 1],
  text: 'Prints the layers of an image, the lowest first, with the images of the store that end in each.',
  options: {},
  unsupported: { whatrequires: '' },
  examples: ['tsrun image tree httpd'],
  async run(_given, [name = ''], context) {
    const engine = await context.engine();
    const record = localImage(engine, name);
    const images = engine.images.list();
    const layers = new LayerStore(engine.paths);
    const namesOf = (imageId: string): string[] =>
      images.flatMap((image) => (image.imageId === imageId && !isDangling(image) ? [image.reference] : []));
    const lines = record.layers.map(({ chainId }, i) => {
      const size = layers.has(chainId) ? humanSize(layers.record(chainId).size) : 'lost';
      const ends = images.filter((image) => image.layers.at(-1)?.chainId === chainId);
      const top =
        ends.length > 0 ? ` Top Layer of: [${ends.map(({ reference }) => reference).join(' ')}]` : '';
      const branch = i === record.layers.length - 1 ? '└──' : '├──';
      return `${branch} ID: ${short(chainId)} Size: ${size.padStart(6)}${top}\n`;
    });
    print(
      [
        `Image ID: ${short(record.imageId)}\n`,
        `Tags:     [${namesOf(record.imageId).join(' ')}]\n`,
        `Size:     ${humanSize(imageSize(engine, record))}\n`,
        'Image Layers\n',
        ...lines,
      ].join(''),
    );
    return 0;
  },
});
