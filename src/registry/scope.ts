/** What a token is asked for (distribution's token scope documentation): `repository:team/app:pull,push`. */

export const pullScope = (repository: string): string => `repository:${repository}:pull`;
export const pushScope = (repository: string): string => `repository:${repository}:pull,push`;
export const CATALOG_SCOPE = 'registry:catalog:*';

/**
 * The scopes of several lists (separated by spaces), each resource once, with all its actions in alphabetical order: registries name
 * actions and resources in any order, and a token server need not understand the same resource twice.
 */
export function mergeScopes(lists: readonly string[]): string[] {
  const actionsOf = new Map<string, Set<string>>();
  for (const scope of lists.flatMap((list) => list.split(' ')).filter(Boolean)) {
    const end = scope.lastIndexOf(':'); // a resource's name may have a port
    const resource = end === -1 ? scope : scope.slice(0, end);
    const actions = end === -1 ? [] : scope.slice(end + 1).split(',');
    actionsOf.set(resource, new Set([...(actionsOf.get(resource) ?? []), ...actions]));
  }
  return [...actionsOf].map(([resource, actions]) =>
    [resource, [...actions].sort().join(',')].filter(Boolean).join(':'),
  );
}
