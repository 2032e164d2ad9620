/** Archives by http and https: `tsrun import URL`, `tsrun load -i URL`. */
import type { Readable } from 'node:stream';
import { tsrunError } from '../errors.ts';

export const isUrl = (text: string): boolean => /^https?:\/\//.test(text);

const MOST_REDIRECTIONS = 10;

/** The body, from wherever the server says that it is. Throws ERR_TSRUN_DOWNLOAD. */
export async function download(url: string): Promise<Readable> {
  const { request } = await import('undici');
  const { dispatcherFor } = await import('../registry/proxies.ts');
  const failed = (problem: string, cause?: unknown): Error =>
    tsrunError('ERR_TSRUN_DOWNLOAD', { url, problem }, cause);
  let at = url;
  for (let i = 0; i <= MOST_REDIRECTIONS; i++) {
    const { statusCode, headers, body } = await request(at, {
      dispatcher: dispatcherFor(new URL(at), process.env),
    }).catch((error: unknown) => {
      throw failed('the server cannot be reached', error);
    });
    if (statusCode === 200) return body;
    await body.dump();
    const { location } = headers;
    if (statusCode < 300 || statusCode > 399 || typeof location !== 'string')
      throw failed(`the server answered ${statusCode}`);
    at = URL.canParse(location, at) ? new URL(location, at).href : '';
    if (!isUrl(at)) throw failed(`the server leads to ${location}`);
  }
  throw failed(`the server led on more than ${MOST_REDIRECTIONS} times`);
}
