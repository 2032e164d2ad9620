/**
 * registries.d (containers-registries.d(5)): whether the signatures of a registry's images are kept beside them, as cosign does. Of what
 * it says only use-sigstore-attachments is of use here: lookaside stores hold GPG signatures.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { tsrunError } from '../errors.ts';
import { parseSimpleYaml, type YamlMap, type YamlValue } from './simple-yaml.ts';

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
  const own = join(environment.HOME || homedir(), '.config', 'containers', 'registries.d');
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

function attachmentsOf(section: YamlValue, wrong: (problem: string) => Error): boolean | undefined {
  if (typeof section === 'string') throw wrong('a section is a text, and no mapping');
  const value = section.get(FIELD);
  if (value === undefined) return undefined;
  if (value === 'true') return true;
  if (value === 'false') return false;
  throw wrong(`${FIELD} is neither true nor false`);
}

function addFile(conf: RegistriesD, file: string): void {
  const wrong = (problem: string, cause?: unknown): Error =>
    tsrunError('ERR_TSRUN_REGISTRIES_CONF', { file, problem }, cause);
  let root: YamlMap;
  try {
    root = parseSimpleYaml(readFileSync(file, 'utf8'));
  } catch (error) {
    throw wrong('it is not a file of registries.d', error);
  }
  const section = root.get('default-docker');
  if (section !== undefined) {
    if (conf.default !== undefined) throw wrong('default-docker is in several files');
    conf.default = attachmentsOf(section, wrong);
  }
  const docker = root.get('docker') ?? new Map<string, YamlValue>();
  if (typeof docker === 'string') throw wrong('docker is a text, and no mapping');
  for (const [scope, each] of docker) {
    if (conf.scopes.has(scope)) throw wrong(`docker: ${scope} is in several files`);
    conf.scopes.set(scope, attachmentsOf(each, wrong));
  }
}

/** Throws ERR_TSRUN_REGISTRIES_CONF, naming the file and the line. */
export function readRegistriesD(environment: NodeJS.ProcessEnv): RegistriesD {
  const { directory, files } = yamlFiles(environment);
  const conf: RegistriesD = { directory, default: undefined, scopes: new Map() };
  for (const file of files) addFile(conf, file);
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
