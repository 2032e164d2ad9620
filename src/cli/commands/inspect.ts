import type { Engine } from '../../engine/open-engine.ts';
import { isPlaceName } from '../../engine/place-name.ts';
import { TsrunError, tsrunError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { executeTemplate } from '../format/template/execute.ts';
import { parseTemplate } from '../format/template/parse.ts';
import { asWritten, flag, value } from '../options/option.ts';
import { print } from '../output.ts';
import { oneOf } from '../parse/words-of-choice.ts';
import { forEach, LATEST_OPTION, selectContainers } from '../select-containers.ts';

const TYPES = ['all', 'container', 'image'] as const;
type Type = (typeof TYPES)[number];

async function inspectContainerNamed(engine: Engine, name: string, size: boolean): Promise<object> {
  const { findContainer } = await import('../../engine/container-view.ts');
  const { inspectContainer } = await import('../../engine/inspect-container.ts');
  const view = findContainer(engine, name);
  const document = inspectContainer(engine, view);
  if (!size) return document;
  const { measureTree } = await import('../container-sizes.ts');
  const { containerFiles } = await import('../../store/paths.ts');
  return { ...document, SizeRw: measureTree(containerFiles(engine.paths, view.id).upper).bytes };
}

const isElsewhere = (name: string): boolean => name.startsWith('docker://') || isPlaceName(name);

async function inspectImageNamed(engine: Engine, name: string): Promise<object> {
  if (isElsewhere(name)) {
    const [{ lookAtImage }, { inspectElsewhere }] = await Promise.all([
      import('../../engine/look-at-image.ts'),
      import('../inspect-image.ts'),
    ]);
    return inspectElsewhere(await lookAtImage(engine, name, {}));
  }
  const record = engine.images.resolve(name);
  if (record === undefined) throw tsrunError('ERR_TSRUN_IMAGE_NOT_LOCAL', { reference: name });
  const { inspectImage } = await import('../inspect-image.ts');
  return inspectImage(engine, record);
}

const isUnknown = (error: unknown, code: string): boolean =>
  error instanceof TsrunError && error.code === code;

/** Throws ERR_TSRUN_CONTAINER_UNKNOWN, ERR_TSRUN_IMAGE_NOT_LOCAL, ERR_TSRUN_OBJECT_UNKNOWN, or that the name is ambiguous. */
async function inspectOne(engine: Engine, name: string, type: Type, size: boolean): Promise<object> {
  if (type !== 'container' && isElsewhere(name)) return await inspectImageNamed(engine, name);
  if (type === 'container') return await inspectContainerNamed(engine, name, size);
  if (type === 'image') return await inspectImageNamed(engine, name);
  try {
    return await inspectContainerNamed(engine, name, size);
  } catch (error) {
    if (!isUnknown(error, 'ERR_TSRUN_CONTAINER_UNKNOWN')) throw error;
  }
  try {
    return await inspectImageNamed(engine, name);
  } catch (error) {
    if (isUnknown(error, 'ERR_TSRUN_IMAGE_NOT_LOCAL') || isUnknown(error, 'ERR_TSRUN_REFERENCE')) {
      throw tsrunError('ERR_TSRUN_OBJECT_UNKNOWN', { name });
    }
    throw error;
  }
}

export const INSPECT = defineCommand({
  usage: '[NAME…]',
  operands: [0, Number.POSITIVE_INFINITY],
  text: "Prints all that is known of containers and images, as a JSON list under docker's field names. An image may also be at a registry (docker://NAME), in a layout (oci:DIRECTORY) or an archive (docker-archive:FILE, oci-archive:FILE): it is not fetched. What is not found is told of, and the rest printed.",
  options: {
    ...LATEST_OPTION,
    format: value('FORMAT', 'json, or a Go template for each', asWritten, {
      short: 'f',
      example: `-f '{{.State.Status}}'`,
    }),
    size: flag('How much a container has written, too', { short: 's' }),
    type: value('TYPE', 'container, image or all', oneOf('--type', TYPES), { short: 't', default: 'all' }),
  },
  examples: [`tsrun inspect -f '{{json .Mounts}}' web`, 'tsrun inspect docker://docker.io/library/httpd'],
  async run(given, names, context) {
    const { format, size, type = 'all' } = given;
    const template = format === undefined || format === 'json' ? undefined : parseTemplate(format);
    const engine = await context.engine();
    const wanted =
      given.latest || names.length === 0
        ? (await selectContainers(engine, names, given)).map((find) => find().id)
        : names;
    const found: object[] = [];
    const status = await forEach(wanted, context.debug, async (name) => {
      const document = await inspectOne(engine, name, type, size);
      if (template) print(`${executeTemplate(template, document)}\n`);
      else found.push(document);
    });
    if (!template) print(`${JSON.stringify(found, undefined, format === 'json' ? undefined : 4)}\n`);
    return status;
  },
});
