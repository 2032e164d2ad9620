import type { Engine } from '../../engine/open-engine.ts';
import { isPlaceName } from '../../engine/place-name.ts';
import { TsrunError, tsrunError } from '../../errors.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import { defineCommand } from '../command.ts';
import { executeTemplate } from '../format/template/execute.ts';
import { parseTemplate } from '../format/template/parse.ts';
import { asWritten, flag, type Values, value } from '../options/option.ts';
import { REGISTRY_OPTIONS, registryAccess } from '../options/registry-options.ts';
import { print } from '../output.ts';
import { usageError } from '../parse/usage.ts';
import { oneOf } from '../parse/words-of-choice.ts';
import { forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

const TYPES = ['all', 'container', 'image', 'network', 'volume'] as const;
type Type = (typeof TYPES)[number];

async function inspectContainerNamed(engine: Engine, name: string, size: boolean): Promise<object> {
  const { findContainer } = await import('../../engine/container-view.ts');
  const { inspectContainer } = await import('../../engine/inspect-container.ts');
  const view = findContainer(engine, name);
  const document = inspectContainer(engine, view);
  if (!size) return document;
  const { sizesOf } = await import('../container-sizes.ts');
  const { written, whole } = sizesOf(engine, view);
  return { ...document, SizeRw: written.bytes, SizeRootFs: whole };
}

/** What `inspect` is asked for beside names. */
interface Wish {
  type: Type;
  size: boolean;
  platform: string | undefined;
  access: RegistryAccess;
  inspectNetwork: (name: string) => Promise<object>;
}

const isElsewhere = (name: string): boolean => name.startsWith('docker://') || isPlaceName(name);

async function inspectImageNamed(engine: Engine, name: string, wish: Wish): Promise<object> {
  if (isElsewhere(name)) {
    const [{ lookAtImage }, { inspectElsewhere }] = await Promise.all([
      import('../../engine/look-at-image.ts'),
      import('../inspect-image.ts'),
    ]);
    return inspectElsewhere(await lookAtImage(engine, name, wish));
  }
  const record = engine.images.resolve(name);
  if (record === undefined) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: name });
  const { inspectImage } = await import('../inspect-image.ts');
  return inspectImage(engine, record);
}

/** A document of an image, of the store or elsewhere, as it is. */
async function documentOf(engine: Engine, name: string, kind: 'raw' | 'config', wish: Wish): Promise<string> {
  if (isElsewhere(name)) {
    const { lookAtImage, readRaw } = await import('../../engine/look-at-image.ts');
    return kind === 'raw'
      ? await readRaw(engine, name, wish)
      : (await lookAtImage(engine, name, wish)).configText;
  }
  const record = engine.images.resolve(name);
  if (record === undefined) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: name });
  const { StoredImage } = await import('../../image/archive/stored-image.ts');
  return new StoredImage(engine.paths, record).document(kind === 'config' ? record.imageId : record.digest);
}

async function inspectVolumeNamed(engine: Engine, name: string): Promise<object> {
  const { findVolume } = await import('../../store/volumes.ts');
  const { volumeDocument } = await import('./volume-inspect.ts');
  return volumeDocument(engine.paths, findVolume(engine.paths, name));
}

/** Which containers networks have is looked up once, and only if a name is a network's. */
function networkInspector(engine: Engine): (name: string) => Promise<object> {
  let describe: ((name: string) => Promise<object>) | undefined;
  return async (name) => {
    const { networkDescriber } = await import('./network-inspect.ts');
    describe ??= networkDescriber(engine);
    return await describe(name);
  };
}

/** What says that there is none of the kind. */
const UNKNOWN = [
  'ERR_TSRUN_CONTAINER_UNKNOWN',
  'ERR_TSRUN_IMAGE_NOT_LOCAL',
  'ERR_TSRUN_REFERENCE',
  'ERR_TSRUN_NETWORK_UNKNOWN',
  'ERR_TSRUN_VOLUME_UNKNOWN',
];

/** Throws ERR_TSRUN_CONTAINER_UNKNOWN, ERR_TSRUN_IMAGE_NOT_LOCAL, ERR_TSRUN_OBJECT_UNKNOWN, or that the name is ambiguous. */
async function inspectOne(engine: Engine, name: string, wish: Wish): Promise<object> {
  const { type, size } = wish;
  if ((type === 'all' || type === 'image') && isElsewhere(name))
    return await inspectImageNamed(engine, name, wish);
  const kinds = {
    container: () => inspectContainerNamed(engine, name, size),
    image: () => inspectImageNamed(engine, name, wish),
    network: () => wish.inspectNetwork(name),
    volume: () => inspectVolumeNamed(engine, name),
  };
  if (type !== 'all') return await kinds[type]();
  for (const inspect of Object.values(kinds)) {
    try {
      return await inspect();
    } catch (error) {
      if (!(error instanceof TsrunError && UNKNOWN.includes(error.code))) throw error;
    }
  }
  throw tsrunError('ERR_TSRUN_OBJECT_UNKNOWN', { name });
}

const OPTIONS = {
  ...LATEST_OPTION,
  ...REGISTRY_OPTIONS,
  config: flag('Of an image, print the configuration instead, as it is'),
  format: value('FORMAT', 'json, or a Go template for each', asWritten, {
    short: 'f',
    example: `-f '{{.State.Status}}'`,
  }),
  platform: value('PLATFORM', 'Of an image elsewhere for several platforms, this one', asWritten, {
    default: "this machine's",
    example: '--platform linux/arm64',
  }),
  raw: flag(
    'Of an image, print the manifest or index instead, as it is; with --platform, the manifest for that',
  ),
  size: flag('How much a container has written, too', { short: 's' }),
  type: value('TYPE', 'container, image, network, volume or all', oneOf('--type', TYPES), {
    short: 't',
    default: 'all',
  }),
};

const HINT = 'tsrun inspect --raw docker://docker.io/library/httpd';

/** Which document of images is printed as it is, if one is. Throws ERR_TSRUN_USAGE for options that would have no effect. */
function documentWanted(
  given: Values<typeof OPTIONS>,
  names: readonly string[],
): 'raw' | 'config' | undefined {
  if (given.platform !== undefined && (given.latest || !names.every(isElsewhere)))
    throw usageError('--platform chooses among those of an image elsewhere', HINT);
  const document = given.raw ? 'raw' : given.config ? 'config' : undefined;
  if (document === undefined) return undefined;
  if (given.raw && given.config) throw usageError('--raw and --config contradict each other');
  if (given.format !== undefined || given.size)
    throw usageError(`--${document} prints documents as they are, without --format and --size`);
  if (given.latest || !['all', 'image'].includes(given.type ?? 'all'))
    throw usageError(`--${document} is of images`, HINT);
  return document;
}

export const INSPECT = defineCommand({
  usage: '[NAME…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: "Prints all that is known of containers, images, networks and volumes, as a JSON list under docker's field names. An image may also be at a registry (docker://NAME), in a layout (oci:DIRECTORY) or an archive (docker-archive:FILE, oci-archive:FILE): it is not fetched. What is not found is told of, and the rest printed.",
  options: OPTIONS,
  examples: [
    `tsrun inspect -f '{{json .Mounts}}' web`,
    'tsrun inspect docker://docker.io/library/httpd',
    HINT,
  ],
  async run(given, names, context) {
    const { format, size, type = 'all' } = given;
    const template = format === undefined || format === 'json' ? undefined : parseTemplate(format);
    const document = documentWanted(given, names);
    const engine = await context.engine();
    const wanted =
      given.latest || names.length === 0
        ? (await selectContainers(engine, names, given)).map((find) => find().id)
        : names;
    const inspectNetwork = networkInspector(engine);
    const wish = { type, size, platform: given.platform, access: registryAccess(given), inspectNetwork };
    const found: object[] = [];
    const status = await forEach(wanted, context.debug, async (name) => {
      if (document !== undefined) return print(await documentOf(engine, name, document, wish));
      const described = await inspectOne(engine, name, wish);
      if (template) print(`${executeTemplate(template, described)}\n`);
      else found.push(described);
    });
    if (!template && document === undefined)
      print(`${JSON.stringify(found, undefined, format === 'json' ? undefined : 4)}\n`);
    return status;
  },
});
