/** What a registry has: tags of a repository, repositories. Lists come in pages (distribution-spec "Listing Tags"), linked by a header. */
import { tsrunError } from '../errors.ts';
import type { RegistryClient } from './client.ts';
import { type ListField, readListPage } from './list-page.ts';
import { CATALOG_SCOPE, pullScope } from './scope.ts';
import { type HttpResponse, headerOf } from './transport.ts';

const PAGE_SIZE = 1000;
/** More pages than that are a registry that goes round in circles. */
const MAX_PAGES = 1000;

/** `Link: </v2/a/tags/list?last=x&n=10>; rel="next"` → the URL, which must be the registry's own. */
function nextPage(response: HttpResponse, current: URL): URL | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headerOf(response, 'link') ?? '')?.[1];
  if (target === undefined || !URL.canParse(target, current.href)) return undefined;
  const url = new URL(target, current);
  return url.host === current.host ? new URL(`${url.pathname}${url.search}`, current) : undefined;
}

interface Listing {
  /** Of the first page, without a query. */
  path: string;
  field: ListField;
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
      return {
        page: await readListPage(response, field, client.patience.documentMs),
        next: nextPage(response, at),
      };
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
