/** `--network MODE[:OPTION,…]`, in podman's words. */
import { tsrunError } from '../errors.ts';
import { PASTA_RESERVED } from './pasta.ts';
import { parseSlirpOptions, type SlirpOptions } from './slirp4netns-options.ts';

export type NetworkMode =
  | { kind: 'none' }
  | { kind: 'host' }
  /** The better helper that is there. */
  | { kind: 'private' }
  | { kind: 'pasta'; options: string[] }
  | { kind: 'slirp4netns'; options: SlirpOptions }
  /** The network namespace of another container. */
  | { kind: 'container'; container: string }
  /** The network namespace bound at a path. */
  | { kind: 'ns'; path: string }
  /** A network made by `network create`. */
  | { kind: 'named'; name: string };

/** @param text undefined = private. @throws ERR_TSRUN_USAGE */
export function parseNetwork(text: string | undefined): NetworkMode {
  if (text === undefined) return { kind: 'private' };
  const at = text.indexOf(':');
  const [mode, rest] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
  const refuse = (problem: string, hint: string) =>
    tsrunError('ERR_TSRUN_USAGE', { problem: `--network ${text}: ${problem}`, hint });
  const words = rest === undefined || rest === '' ? [] : rest.split(',');
  switch (mode) {
    case 'none':
    case 'host':
    case 'private':
      if (rest !== undefined) throw refuse(`${mode} takes no options`, `--network ${mode}`);
      return { kind: mode };
    case 'default':
      return { kind: 'private' };
    case 'pasta': {
      const reserved = words.find((word) => PASTA_RESERVED.includes(word.split('=', 1)[0] ?? ''));
      if (reserved !== undefined) throw refuse(`${reserved} is tsrun's own`, 'leave it out');
      return { kind: 'pasta', options: words };
    }
    case 'slirp4netns':
      return { kind: 'slirp4netns', options: parseSlirpOptions(words) };
    case 'container':
      if (!rest) throw refuse('which container?', '--network container:NAME');
      return { kind: 'container', container: rest };
    case 'ns':
      if (!rest?.startsWith('/'))
        throw refuse('an absolute path is expected', '--network ns:/proc/PID/ns/net');
      return { kind: 'ns', path: rest };
  }
  if (rest !== undefined || !/^[a-zA-Z0-9][\w.-]*$/.test(mode)) {
    throw refuse(
      'no such network mode',
      '--network none, host, private, pasta, slirp4netns, container:NAME or ns:PATH',
    );
  }
  return { kind: 'named', name: mode };
}
