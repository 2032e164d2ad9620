/** The tags that an image has at its registry. Loads undici. */
import { TsrunError } from '../errors.ts';
import { openClient, type RegistryAccess } from '../registry/access.ts';
import { allTags } from '../registry/list-registry.ts';
import { accessTo } from '../registry/registry-policy.ts';
import { parseName, qualifyName, repositoryName } from '../spec/reference.ts';
import { resolveShortName } from './short-names.ts';

export interface RemoteTags {
  /** `docker.io/library/httpd` */
  repository: string;
  /** In lexical order. */
  tags: string[];
}

/** A short name is looked for where registries.conf says. Throws ERR_TSRUN_REPOSITORY_UNKNOWN, ERR_TSRUN_REGISTRY_…. */
export async function remoteTags(name: string, access: RegistryAccess): Promise<RemoteTags> {
  const parsed = parseName(name);
  const references =
    parsed.registry === undefined
      ? await resolveShortName(parsed, access.environment ?? process.env)
      : [qualifyName(parsed, parsed.registry)];
  let failure: unknown;
  for (const reference of references) {
    const client = openClient(reference.registry, await accessTo(reference, access));
    try {
      return { repository: repositoryName(reference), tags: await allTags(client, reference.repository) };
    } catch (error) {
      if (!(error instanceof TsrunError)) throw error;
      failure ??= error;
    } finally {
      await client.close();
    }
  }
  throw failure;
}
