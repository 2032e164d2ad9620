/** Instructions of a Dockerfile that change an image's configuration: `--change` of import and commit. */
import { tsrunError } from '../errors.ts';
import type { ImageRunConfig } from './image.ts';

type Change = (config: ImageRunConfig, text: string) => ImageRunConfig;

const usage = (problem: string): Error =>
  tsrunError('ERR_TSRUN_USAGE', {
    problem,
    hint: `--change 'CMD ["/bin/sh"]'   # or ${Object.keys(CHANGES).join(', ')}`,
  });

/** `["a","b"]`; undefined when it is not written so. */
function parseList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((word) => typeof word === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A list as it is, anything else as a command for the shell. */
const command = (text: string): string[] => parseList(text) ?? ['/bin/sh', '-c', text];

/** Words, with the quotes of a shell: `a "b c" d\ e`. */
function words(text: string): string[] {
  const found = text.match(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'\\])+/gs) ?? [];
  return found.map((word) =>
    word.replace(/\\(.)|"((?:\\.|[^"\\])*)"|'([^']*)'/gs, (_all, escaped, double, single) =>
      String(escaped ?? double?.replace(/\\(["\\$])/g, '$1') ?? single ?? ''),
    ),
  );
}

/** `A=1 B="2 3"`, or as of old `A 1 2`. */
function pairs(text: string): [key: string, value: string][] {
  const all = words(text);
  if (!all[0]?.includes('=')) {
    const [, key = '', value = ''] = /^(\S+)\s+(.*)$/s.exec(text) ?? [];
    if (key === '') throw usage(`--change: "${text}" is not of the form KEY=VALUE`);
    return [[key, value]];
  }
  return all.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 1) throw usage(`--change: "${word}" is not of the form KEY=VALUE`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function withEnvironment(config: ImageRunConfig, text: string): ImageRunConfig {
  const env = new Map((config.Env ?? []).map((line) => [line.split('=', 1)[0] ?? '', line]));
  for (const [key, value] of pairs(text)) env.set(key, `${key}=${value}`);
  return { ...config, Env: [...env.values()] };
}

function withPorts(config: ImageRunConfig, text: string): ImageRunConfig {
  const ports = words(text).map((port) => (port.includes('/') ? port.toLowerCase() : `${port}/tcp`));
  const bad = ports.find((port) => !/^\d{1,5}(?:-\d{1,5})?\/(?:tcp|udp|sctp)$/.test(port));
  if (bad !== undefined) throw usage(`--change EXPOSE: "${bad}" is not a port`);
  return { ...config, ExposedPorts: { ...config.ExposedPorts, ...keysOf(ports) } };
}

const keysOf = (names: readonly string[]): Record<string, object> =>
  Object.fromEntries(names.map((name) => [name, {}]));

const CHANGES: Readonly<Record<string, Change>> = {
  CMD: (config, text) => ({ ...config, Cmd: command(text) }),
  ENTRYPOINT: (config, text) => ({ ...config, Entrypoint: command(text) }),
  ENV: withEnvironment,
  EXPOSE: withPorts,
  LABEL: (config, text) => ({ ...config, Labels: { ...config.Labels, ...Object.fromEntries(pairs(text)) } }),
  ONBUILD: (config, text) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), text] }),
  STOPSIGNAL: (config, text) => ({ ...config, StopSignal: text }),
  USER: (config, text) => ({ ...config, User: text }),
  VOLUME: (config, text) => ({
    ...config,
    Volumes: { ...config.Volumes, ...keysOf(parseList(text) ?? words(text)) },
  }),
  WORKDIR: (config, text) => ({
    ...config,
    WorkingDir: text.startsWith('/') ? text : `${(config.WorkingDir || '/').replace(/\/$/, '')}/${text}`,
  }),
};

/** Applies `CMD ["/bin/sh"]` or, as podman's users write it, `CMD=/bin/sh`. Throws ERR_TSRUN_USAGE. */
export function applyChange(config: ImageRunConfig, written: string): ImageRunConfig {
  const [, name = '', text = ''] = /^\s*([A-Za-z]+)(?:\s+|\s*=\s*)(.*?)\s*$/s.exec(written) ?? [];
  const key = name.toUpperCase();
  const change = Object.hasOwn(CHANGES, key) ? CHANGES[key] : undefined;
  if (change === undefined || text === '')
    throw usage(`--change "${written}" is not an instruction that tsrun knows`);
  return change(config, text);
}
