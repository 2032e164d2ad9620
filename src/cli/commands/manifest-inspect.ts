import type { Engine } from '../../engine/open-engine.ts';
import { isPlaceName } from '../../engine/place-name.ts';
import type { RegistryAccess } from '../../registry/access.ts';
import { defineCommand } from '../command.ts';
import { REGISTRY_OPTIONS, registryAccess } from '../options/registry-options.ts';
import { print } from '../output.ts';

/** The names by which it is asked for, with transports: a short name may stand for several. */
async function placesOf(name: string): Promise<string[]> {
  if (name.startsWith('docker://') || isPlaceName(name)) return [name];
  const [{ resolveShortName }, { formatReference, parseName, qualifyName }] = await Promise.all([
    import('../../image/short-names.ts'),
    import('../../spec/reference.ts'),
  ]);
  const parsed = parseName(name);
  const references =
    parsed.registry === undefined
      ? await resolveShortName(parsed, process.env)
      : [qualifyName(parsed, parsed.registry)];
  return references.map((reference) => `docker://${formatReference(reference)}`);
}

/** Throws what the last of the places throws. */
async function documentAt(
  engine: Engine,
  [place = '', ...others]: string[],
  access: RegistryAccess,
): Promise<string> {
  const { readRaw } = await import('../../engine/look-at-image.ts');
  try {
    return await readRaw(engine, place, { access });
  } catch (error) {
    if (others.length === 0) throw error;
    return await documentAt(engine, others, access);
  }
}

export const MANIFEST_INSPECT = defineCommand({
  usage: 'IMAGE',
  operands: [1, 1],
  text:
    'Prints what the name of an image stands for at its registry: the index with its platforms, or the manifest of an image for one. ' +
    'Nothing else is fetched, and the store is not asked. IMAGE may also be oci:DIRECTORY[:NAME] and its like.',
  options: REGISTRY_OPTIONS,
  unsupported: {
    insecure: '--tls-verify=false',
    v: 'tsrun inspect docker://IMAGE',
    verbose: 'tsrun inspect docker://IMAGE',
  },
  examples: ['tsrun manifest inspect docker.io/library/httpd'],
  async run(given, [name = ''], context) {
    const text = await documentAt(await context.engine(), await placesOf(name), registryAccess(given));
    print(`${JSON.stringify(JSON.parse(text), undefined, 4)}\n`);
    return 0;
  },
});
