/** Command line, environment and working directory of a container, from its image and the user's words. Pure. */
import type { ImageRunConfig } from '../spec/image.ts';
import type { CreateRequest } from './request.ts';

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * ENTRYPOINT and CMD (image-spec config.md, docker run): an entrypoint given by the user drops the image's CMD; arguments given by the
 * user replace it.
 */
export function commandLine(
  image: ImageRunConfig,
  request: CreateRequest,
): { entrypoint: string[]; args: string[] } {
  const entrypoint = request.entrypoint ?? image.Entrypoint ?? [];
  const imageCommand = request.entrypoint === undefined ? (image.Cmd ?? []) : [];
  return {
    entrypoint,
    args: [...entrypoint, ...(request.command.length > 0 ? request.command : imageCommand)],
  };
}

/** Later entries win; order of first appearance is kept. */
export function mergeEnvironment(...lists: readonly (readonly string[])[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of lists.flat()) {
    const at = entry.indexOf('=');
    if (at > 0) merged.set(entry.slice(0, at), entry);
  }
  return [...merged.values()];
}

/** What of the caller's environment comes along. */
function fromHost({ envHost, httpProxy }: Pick<CreateRequest, 'envHost' | 'httpProxy'>): string[] {
  if (!envHost && !httpProxy) return [];
  const isProxy = (name: string): boolean => /^(?:https?|ftp|all|no)_proxy$/i.test(name);
  return Object.entries(process.env).flatMap(([name, text = '']) =>
    envHost || isProxy(name) ? [`${name}=${text}`] : [],
  );
}

/** The environment of the container's command. */
export function environment(
  image: ImageRunConfig,
  request: Pick<CreateRequest, 'env' | 'envHost' | 'httpProxy' | 'unsetEnv'>,
  facts: { hostname: string; home: string; terminal: boolean },
): string[] {
  const own = [`HOSTNAME=${facts.hostname}`, `HOME=${facts.home}`, 'container=tsrun'];
  const terminal = facts.terminal ? ['TERM=xterm'] : [];
  const standard = mergeEnvironment([DEFAULT_PATH], terminal, own, fromHost(request), image.Env ?? []);
  const { unsetEnv } = request;
  const isKept = (entry: string): boolean =>
    !unsetEnv.includes('*') && !unsetEnv.includes(entry.slice(0, entry.indexOf('=')));
  return mergeEnvironment(unsetEnv.length > 0 ? standard.filter(isKept) : standard, request.env);
}

/** An absolute path: WORKDIR of the image, or what the user said relative to it. */
export function workingDirectory(image: ImageRunConfig, request: Pick<CreateRequest, 'workdir'>): string {
  const base = image.WorkingDir || '/';
  const wanted = request.workdir ?? base;
  return wanted.startsWith('/') ? wanted : `${base.replace(/\/+$/, '')}/${wanted}`;
}
