/** What asking a registry may end with so that another one may do: it does not answer, answers nonsense, or has no such image for us. */
export const REGISTRY_FAILURES = [
  'ERR_TSRUN_TAG_UNKNOWN',
  'ERR_TSRUN_REPOSITORY_UNKNOWN',
  'ERR_TSRUN_REGISTRY_DENIED',
  'ERR_TSRUN_REGISTRY_UNREACHABLE',
  'ERR_TSRUN_REGISTRY_RATE_LIMIT',
  'ERR_TSRUN_REGISTRY_RESPONSE',
] as const;
