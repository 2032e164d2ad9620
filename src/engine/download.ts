/** Archives by http and https: `tsrun import URL`, `tsrun load -i URL`. */
import type { Readable } from 'node:stream';
import { tsrunError } from '../errors.ts';

export const isUrl = (text: string): boolean => /^https?:\/\//.test(text);

const MOST_REDIRECTIONS = 10;

/** The body. Throws ERR_TSRUN_DOWNLOAD. */
export async function download(url: string): Promise<Readable> {
  const { EnvHttpProxyAgent, interceptors, request } = await import('undici');
  const failed = (problem: string, cause?: unknown): Error =>
    tsrunError('ERR_TSRUN_DOWNLOAD', { url, problem }, cause);
  const redirect = interceptors.redirect({ maxRedirections: MOST_REDIRECTIONS });
  const dispatcher = new EnvHttpProxyAgent().compose(redirect);
  const response = await request(url, { dispatcher }).catch((error: unknown) => {
    throw failed('the server cannot be reached', error);
  });
  if (response.statusCode === 200) return response.body;
  await response.body.dump();
  throw failed(`the server answered ${response.statusCode}`);
}
