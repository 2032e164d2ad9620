/**
 * registries.d (containers-registries.d(5)): whether the signatures of a registry's images are kept beside them, as cosign does. Of what
 * it says only use-sigstore-attachments is of use here: lookaside stores hold GPG signatures.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import { homeDirectory } from '../sys/home-directory.ts';

const SYSTEM = '/etc/containers/registries.d';
const FIELD = 'use-sigstore-attachments';

/** What all files together say; undefined where they do not say. */
export interface RegistriesD {
  /** The directory that was read, for messages. */
  directory: string;
  default: boolean | undefined;
  scopes: Map<string, boolean | undefined>;
}

/** The user's directory if it is there, else the system's; its *.yaml, by name. */
function yamlFiles(environment: NodeJS.ProcessEnv): { directory: string; files: string[] } {
  const own = join(homeDirectory(environment), '.config', 'containers', 'registries.d');
  for (const directory of [own, SYSTEM]) {
    try {
      const names = readdirSync(directory).filter((name) => name.endsWith('.yaml'));
      return { directory, files: names.sort().map((name) => join(directory, name)) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        throw tsrunError(
          'ERR_TSRUN_REGISTRIES_CONF',
          { file: directory, problem: 'it cannot be read' },
          error,
        );
    }
  }
  return { directory: own, files: [] };
}

type Wrong = (problem: string, cause?: unknown) => Error;

/** @param what the section's name; nothing in it is as good as an empty mapping */
function mappingOf(value: unknown, what: string, wrong: Wrong): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong(`${what} is no mapping`);
  return value as Record<string, unknown>;
}

function attachmentsOf(section: unknown, what: string, wrong: Wrong): boolean | undefined {
  const value = mappingOf(section, what, wrong)[FIELD];
  if (value !== undefined && typeof value !== 'boolean')
    throw wrong(`${FIELD} of ${what} is neither true nor false`);
  return value;
}

function addFile(conf: RegistriesD, file: string, parse: (text: string) => unknown): void {
  const wrong: Wrong = (problem, cause) => tsrunError('ERR_TSRUN_REGISTRIES_CONF', { file, problem }, cause);
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw wrong('it cannot be read as YAML', error);
  }
  const root = mappingOf(content, 'it', wrong);
  const section = root['default-docker'];
  if (section !== undefined) {
    if (conf.default !== undefined) throw wrong('default-docker is in several files');
    conf.default = attachmentsOf(section, 'default-docker', wrong);
  }
  for (const [scope, each] of Object.entries(mappingOf(root.docker, 'docker', wrong))) {
    if (conf.scopes.has(scope)) throw wrong(`docker: ${scope} is in several files`);
    conf.scopes.set(scope, attachmentsOf(each, scope, wrong));
  }
}

/** Throws ERR_TSRUN_REGISTRIES_CONF, naming the file and the line. */
export async function readRegistriesD(environment: NodeJS.ProcessEnv): Promise<RegistriesD> {
  const { directory, files } = yamlFiles(environment);
  const conf: RegistriesD = { directory, default: undefined, scopes: new Map() };
  if (files.length === 0) return conf;
  const { parse } = await import('yaml');
  for (const file of files) addFile(conf, file, parse);
  return conf;
}

/** @param scopes of the image, the most exact first */
export function usesAttachments(conf: RegistriesD, scopes: readonly string[]): boolean {
  for (const scope of scopes) {
    const said = conf.scopes.get(scope);
    if (said !== undefined) return said;
  }
  return conf.default ?? false;
}
