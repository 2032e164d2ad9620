/**
 * Looking for repositories. There is no standard for it: docker.io and a few others have the search of the first API; other registries
 * at best list all their repositories, of which those that hold the term are chosen here.
 */
import { TsrunError, tsrunError } from '../errors.ts';
import { parseForeignJson } from '../spec/foreign-json.ts';
import { openClient, type RegistryAccess } from './access.ts';
import type { RegistryClient } from './client.ts';
import { repositories } from './list-registry.ts';
import { accessTo } from './registry-policy.ts';
import { DOCUMENT_LIMIT_BYTES, readBody } from './transport.ts';

export interface FoundRepository {
  registry: string;
  /** `docker.io/library/httpd` */
  name: string;
  /** '' when the registry does not tell; so with the others. */
  description: string;
  stars: number;
  isOfficial: boolean;
  isAutomated: boolean;
}

/** Searches for docker.io are answered elsewhere than pulls. */
const SEARCH_HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'index.docker.io' };

const text = (value: unknown): string =>
  typeof value === 'string' ? value.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim() : '';

/** An entry of the first API's answer; undefined for what is none. */
function parseResult(registry: string, value: unknown): FoundRepository | undefined {
  const result = (typeof value === 'object' ? value : undefined) as
    | Record<string, unknown>
    | null
    | undefined;
  const path = text(result?.name);
  if (!result || !/^[a-z0-9][a-z0-9._/-]*$/.test(path)) return undefined;
  const isOfficial = result.is_official === true;
  return {
    registry,
    name: `${registry}/${registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path}`,
    description: text(result.description),
    stars: typeof result.star_count === 'number' ? result.star_count : 0,
    isOfficial,
    isAutomated: result.is_automated === true,
  };
}

/** By the first API; undefined when the registry has none. */
async function searchFirstApi(
  client: RegistryClient,
  registry: string,
  term: string,
  limit: number,
): Promise<FoundRepository[] | undefined> {
  const url = await client.url(`/v1/search?${new URLSearchParams({ q: term, n: String(limit) })}`);
  const response = await client.send({ url, headers: { accept: 'application/json' } }, '', []);
  if (response.status !== 200) {
    if (registry in SEARCH_HOSTS) throw await client.failure(response, '', 'GET /v1/search');
    await response.body.dump();
    return undefined;
  }
  const body = await readBody(response, DOCUMENT_LIMIT_BYTES, client.patience.documentMs);
  try {
    const { results } = parseForeignJson(body?.toString('utf8') ?? '') as { results?: unknown };
    if (Array.isArray(results))
      return results.flatMap((each) => parseResult(registry, each) ?? []).slice(0, limit);
  } catch {
    // A page for people, say: said below, or the list of all repositories has to do.
  }
  if (!(registry in SEARCH_HOSTS)) return undefined;
  const request = 'GET /v1/search';
  throw tsrunError('ERR_TSRUN_REGISTRY_RESPONSE', {
    registry,
    request,
    problem: 'something that is no list',
  });
}

/** Those of all repositories that hold the term. */
async function searchCatalog(
  client: RegistryClient,
  registry: string,
  term: string,
  limit: number,
): Promise<FoundRepository[]> {
  const found: FoundRepository[] = [];
  for await (const page of repositories(client)) {
    for (const repository of page) {
      if (!repository.includes(term)) continue;
      const name = `${registry}/${repository}`;
      found.push({ registry, name, description: '', stars: 0, isOfficial: false, isAutomated: false });
      if (found.length >= limit) return found;
    }
  }
  return found;
}

/** At most `limit` repositories of `registry` that have to do with `term`. Throws ERR_TSRUN_REGISTRY_…. */
export async function searchRegistry(
  registry: string,
  term: string,
  limit: number,
  access: RegistryAccess,
): Promise<FoundRepository[]> {
  const client = openClient(SEARCH_HOSTS[registry] ?? registry, await accessTo(registry, access));
  try {
    return (
      (await client.retrying(() => searchFirstApi(client, registry, term, limit))) ??
      (await searchCatalog(client, registry, term, limit))
    );
  } catch (error) {
    const isAbsent = error instanceof TsrunError && error.code === 'ERR_TSRUN_REGISTRY_RESPONSE';
    if (!isAbsent || registry in SEARCH_HOSTS) throw error;
    throw tsrunError('ERR_TSRUN_NO_SEARCH', { registry }, error.cause);
  } finally {
    await client.close();
  }
}
