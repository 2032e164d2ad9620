/** What a registry has: tags of a repository, repositories. Lists come in pages (distribution-spec "Listing Tags"), linked by a header. */
import { tsrunError } from '../errors.ts';
import { parseForeignJson } from '../spec/foreign-json.ts';
import type { RegistryClient } from './client.ts';
import { CATALOG_SCOPE, pullScope } from './scope.ts';
import { DOCUMENT_LIMIT_BYTES, type HttpResponse, headerOf, readBody } from './transport.ts';

const TAG = /^[\w][\w.-]{0,127}$/;
const REPOSITORY = /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;
/** Enough to tell what there is, in the hint of an error. */
const TAGS_SHOWN = 10;
const PAGE_SIZE = 1000;
/** More pages than that are a registry that goes round in circles. */
const MAX_PAGES = 1000;

/** The items `field` of a page that look like what they should be; undefined when the body is no such page. */
async function readPage(
  client: RegistryClient,
  response: HttpResponse,
  field: 'tags' | 'repositories',
): Promise<string[] | undefined> {
  const body = await readBody(response, DOCUMENT_LIMIT_BYTES, client.patience.documentMs);
  const pattern = field === 'tags' ? TAG : REPOSITORY;
  try {
    const page = parseForeignJson(body?.toString('utf8') ?? '') as Record<string, unknown> | null;
    const items = page?.[field] ?? [];
    if (!Array.isArray(items)) return undefined;
    return items.filter((item): item is string => typeof item === 'string' && pattern.test(item));
  } catch {
    return undefined; // a missing body, or one that is no JSON: the caller says so
  }
}

/** `Link: </v2/a/tags/list?last=x&n=10>; rel="next"` → the URL, which must be the registry's own. */
function nextPage(response: HttpResponse, current: URL): URL | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headerOf(response, 'link') ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, current.href)) return undefined;
  const url = new URL(target, current);
  return url.host === current.host ? new URL(`${url.pathname}${url.search}`, current) : undefined;
}

/** Some tags of a repository, for a hint; undefined when there is no such repository or the registry does not tell. */
export async function someTags(client: RegistryClient, repository: string): Promise<string[] | undefined> {
  const url = await client.url(`/v2/${repository}/tags/list?n=${TAGS_SHOWN}`);
  const response = await client.send({ url }, repository, [pullScope(repository)]);
  if (response.status === 200) return (await readPage(client, response, 'tags'))?.slice(0, TAGS_SHOWN);
  await response.body.dump();
  return undefined;
}

interface Listing {
  /** Of the first page, without a query. */
  path: string;
  field: 'tags' | 'repositories';
  /** '' when the list is about the registry as a whole. */
  repository: string;
  scope: string;
}

/** All pages, one after the other. */
async function* pages(client: RegistryClient, listing: Listing): AsyncGenerator<string[]> {
  const { path, field, repository, scope } = listing;
  const request = `GET ${path}`;
  const seen = new Set<string>();
  let url: URL | undefined = await client.url(`${path}?n=${PAGE_SIZE}`);
  while (url !== undefined) {
    const at: URL = url;
    seen.add(at.href);
    const { page, next } = await client.retrying(async () => {
      const response = await client.send({ url: at }, repository, [scope]);
      if (response.status === 404 && repository !== '') {
        const { cause } = await client.failure(response, repository, request);
        throw tsrunError('ERR_TSRUN_REPOSITORY_UNKNOWN', { registry: client.registry, repository }, cause);
      }
      if (response.status !== 200) throw await client.failure(response, repository, request);
      return { page: await readPage(client, response, field), next: nextPage(response, at) };
    });
    const problem =
      page === undefined
        ? 'something that is no list'
        : next !== undefined && (seen.has(next.href) || seen.size >= MAX_PAGES)
          ? 'a list that has no end'
          : undefined;
    if (problem !== undefined) {
      throw tsrunError('ERR_TSRUN_REGISTRY_RESPONSE', { registry: client.registry, request, problem });
    }
    yield page ?? [];
    url = next;
  }
}

/** All tags of a repository, in the lexical order that the specification wants and not all registries keep. Throws ERR_TSRUN_REPOSITORY_UNKNOWN, ERR_TSRUN_REGISTRY_…. */
export async function allTags(client: RegistryClient, repository: string): Promise<string[]> {
  const tags: string[] = [];
  const path = `/v2/${repository}/tags/list`;
  for await (const page of pages(client, { path, field: 'tags', repository, scope: pullScope(repository) })) {
    tags.push(...page);
  }
  return [...new Set(tags)].sort();
}

/** The repositories of a registry, page after page; many registries do not tell. Throws ERR_TSRUN_REGISTRY_…. */
export function repositories(client: RegistryClient): AsyncGenerator<string[]> {
  return pages(client, {
    path: '/v2/_catalog',
    field: 'repositories',
    repository: '',
    scope: CATALOG_SCOPE,
  });
}
