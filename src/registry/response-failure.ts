/** What a registry's refusal means, said in words; its own words go along as the cause. */
import { STATUS_CODES } from 'node:http';
import { tsrunError } from '../errors.ts';
import { parseForeignJson } from '../spec/foreign-json.ts';
import { parseRetryAfter, TransientFailure } from './retry.ts';
import { type HttpResponse, headerOf, readBody } from './transport.ts';

export interface FailedRequest {
  registry: string;
  repository: string;
  /** `GET /v2/a/b/manifests/latest` */
  request: string;
  withCredentials: boolean;
  /** Something was to be changed there. */
  writing?: boolean;
}

const BODY_LIMIT_BYTES = 64 * 1024;
const SHOWN_CHARACTERS = 500;
/** A longer pause than this is the user's decision. */
const LONGEST_WAIT_MS = 120_000;

/** Text of strangers for a terminal: one line, nothing that steers the terminal, not too long. */
function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}

/** The `errors` of a body (distribution-spec "Error Codes"): `MANIFEST_UNKNOWN: manifest unknown`. Else the text itself. */
function serverWords(text: string): string {
  try {
    const value = parseForeignJson(text) as {
      errors?: { code?: string; message?: string; detail?: unknown }[];
      details?: string;
    };
    if (Array.isArray(value.errors) && value.errors.length > 0) {
      return value.errors
        .map((e) => {
          const detail = e.detail === undefined || e.detail === null ? '' : ` ${JSON.stringify(e.detail)}`;
          return `${e.code ?? 'UNKNOWN'}: ${e.message ?? ''}${detail}`;
        })
        .join('; ');
    }
    if (typeof value.details === 'string') return value.details; // token servers
  } catch {
    // Not JSON: a proxy's page, say. Shown as it is.
  }
  return text;
}

/** `ratelimit-limit: 100;w=21600, ratelimit-remaining: 0;w=21600` */
function limitHeaders(response: HttpResponse): string {
  const names = ['ratelimit-limit', 'ratelimit-remaining', 'docker-ratelimit-source', 'retry-after'];
  return names
    .flatMap((name) => {
      const value = headerOf(response, name);
      return value === undefined ? [] : [printable(`${name}: ${value}`)];
    })
    .join(', ');
}

/** The body of a refusal, or as much of it as matters; a body that breaks off is not worth another error. */
async function refusalText(response: HttpResponse): Promise<string> {
  try {
    return (await readBody(response, BODY_LIMIT_BYTES))?.toString('utf8') ?? '';
  } catch (error) {
    return `(its body broke off: ${error instanceof Error ? error.message : String(error)})`;
  }
}

/** The error for an answer that is no success; the caller throws it. One that may pass comes as a TransientFailure. */
export async function responseFailure(response: HttpResponse, failed: FailedRequest): Promise<Error> {
  const { status } = response;
  const text = await refusalText(response);
  const title = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  const words = printable(serverWords(text));
  const cause = new Error(words === '' ? title : `${title}: ${words}`);
  const { registry, repository, request, withCredentials, writing = false } = failed;
  const retryAfterMs = parseRetryAfter(headerOf(response, 'retry-after'), Date.now());
  const isWorthWaiting = (retryAfterMs ?? 0) <= LONGEST_WAIT_MS;
  if (status === 401 || status === 403) {
    return tsrunError('ERR_TSRUN_REGISTRY_DENIED', { registry, repository, withCredentials, writing }, cause);
  }
  if (status === 429) {
    const failure = tsrunError(
      'ERR_TSRUN_REGISTRY_RATE_LIMIT',
      { registry, limits: limitHeaders(response) },
      cause,
    );
    const isUsedUp = headerOf(response, 'ratelimit-remaining')?.startsWith('0') === true;
    return isWorthWaiting && !isUsedUp ? new TransientFailure(failure, retryAfterMs) : failure;
  }
  const failure = tsrunError('ERR_TSRUN_REGISTRY_RESPONSE', { registry, request, problem: title }, cause);
  const mayPass = status === 408 || (status >= 500 && status !== 501 && status !== 505);
  return mayPass && isWorthWaiting ? new TransientFailure(failure, retryAfterMs) : failure;
}
