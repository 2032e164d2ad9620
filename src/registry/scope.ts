/** What a token is asked for (distribution's token scope documentation). */

export const pullScope = (repository: string): string => `repository:${repository}:pull`;
export const pushScope = (repository: string): string => `repository:${repository}:pull,push`;
export const CATALOG_SCOPE = 'registry:catalog:*';
