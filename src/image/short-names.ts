/**
 * What a name without a registry stands for: an alias of registries.conf, else the same path in each of its search registries, else in
 * docker.io. Nobody is asked: which it was is printed.
 */
import { tsrunError } from '../errors.ts';
import { readRegistriesConf } from '../registry/read-registries-conf.ts';
import {
  DEFAULT_REGISTRY,
  type ParsedName,
  parseName,
  qualifyName,
  type Reference,
} from '../spec/reference.ts';

/** Full references, in the order in which they are to be tried. Throws ERR_TSRUN_SHORT_NAME, ERR_TSRUN_REGISTRIES_CONF. */
export async function resolveShortName(
  name: ParsedName,
  environment: NodeJS.ProcessEnv,
): Promise<Reference[]> {
  const { aliases, search } = await readRegistriesConf(environment);
  const alias = aliases.get(name.path);
  if (alias !== undefined) {
    const { registry, path } = parseName(alias);
    // An alias gives the place; tag and digest are the user's.
    return [qualifyName({ ...name, registry, path }, DEFAULT_REGISTRY)];
  }
  if (search?.length === 0) throw tsrunError('ERR_TSRUN_SHORT_NAME', { name: name.path });
  return (search ?? [DEFAULT_REGISTRY]).map((registry) => qualifyName(name, registry));
}
