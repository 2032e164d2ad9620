/** One page of a list of a registry: `{"name": …, "tags": […]}` (distribution-spec "Listing Tags"), or `{"repositories": […]}`. */
import { parseForeignJson } from '../spec/foreign-json.ts';
import { DOCUMENT_LIMIT_BYTES, type HttpResponse, readBody } from './transport.ts';

/** What items look like; others are left out. */
const ITEMS = {
  tags: /^[\w][\w.-]{0,127}$/,
  repositories: /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/,
} as const;

export type ListField = keyof typeof ITEMS;

/** The items of a page; undefined when the body is no such page. @param deadlineMs for the whole body */
export async function readListPage(
  response: HttpResponse,
  field: ListField,
  deadlineMs: number,
): Promise<string[] | undefined> {
  const body = await readBody(response, DOCUMENT_LIMIT_BYTES, deadlineMs);
  try {
    const page = parseForeignJson(body?.toString('utf8') ?? '') as Record<string, unknown> | null;
    const items = page?.[field] ?? [];
    if (!Array.isArray(items)) return undefined;
    return items.filter((item): item is string => typeof item === 'string' && ITEMS[field].test(item));
  } catch {
    return undefined; // a missing body, or one that is no JSON: the caller says so
  }
}
