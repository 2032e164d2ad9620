/**
 * registries.conf, version 2 and what is left of version 1 (containers-registries.conf(5)): which registries short names are looked for
 * in, and for parts of registries where they really are, what mirrors them, whether TLS is needed, whether they may be asked at all.
 *
 * Pure: read-registries-conf.ts finds the files.
 */
import { tsrunError } from '../errors.ts';
import { formatReference, parseReference, type Reference } from '../spec/reference.ts';

export interface Mirror {
  /** As `location` of a table. */
  location: string;
  insecure: boolean;
  /** For which names it is asked. */
  pullFrom: 'all' | 'digest-only' | 'tag-only';
}

/** One [[registry]]. */
export interface RegistryTable {
  /** `host[:port][/path…][:tag|@digest]` or `*.host` */
  prefix: string;
  /** What takes the place of the prefix; '' keeps the name. */
  location: string;
  insecure: boolean;
  blocked: boolean;
  mirrors: Mirror[];
  /** The file that it is from. */
  file: string;
}

/** What one file says. */
export interface RegistriesConf {
  /** Undefined when the file does not say. */
  search: string[] | undefined;
  tables: RegistryTable[];
  /** Who is asked for logins, in this order; `containers-auth.json` is all files of logins. Undefined when the file does not say. */
  credentialHelpers: string[] | undefined;
  /** Short name → full name; '' takes an alias of an earlier file away. */
  aliases: Map<string, string>;
}

type Toml = Record<string, unknown>;

/** Reads values of a table, naming the file and the field that is wrong. */
class Fields {
  readonly #table: Toml;
  readonly #file: string;
  readonly #where: string;
  constructor(table: Toml, file: string, where: string) {
    this.#table = table;
    this.#file = file;
    this.#where = where;
  }
  #get<T>(key: string, is: (value: unknown) => value is T, kind: string): T | undefined {
    const value = this.#table[key];
    if (value === undefined || is(value)) return value;
    throw this.wrong(`${this.#where}${key} is not ${kind}`);
  }
  text = (key: string): string =>
    this.#get(key, (value): value is string => typeof value === 'string', 'a string')?.trim() ?? '';
  flag = (key: string): boolean =>
    this.#get(key, (value): value is boolean => typeof value === 'boolean', 'true or false') ?? false;
  texts = (key: string): string[] | undefined =>
    this.#get(
      key,
      (value): value is string[] => Array.isArray(value) && value.every((each) => typeof each === 'string'),
      'an array of strings',
    );
  table = (key: string): Toml => this.#get(key, isTable, 'a table') ?? {};
  tables = (key: string): Toml[] =>
    this.#get(
      key,
      (value): value is Toml[] => Array.isArray(value) && value.every(isTable),
      'an array of tables',
    ) ?? [];
  wrong = (problem: string): Error => tsrunError('ERR_TSRUN_REGISTRIES_CONF', { file: this.#file, problem });
}

const isTable = (value: unknown): value is Toml =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A location or a prefix as it is matched: without scheme, which is a usual slip, and without a slash at its end. */
const bare = (location: string): string => location.replace(/\/+$/, '');

function checkLocation(location: string, fields: Fields): void {
  if (location.includes('://')) throw fields.wrong(`"${location}" has a scheme: write host[:port][/path]`);
}

function parseMirror(table: Toml, file: string, byDigestOnly: boolean): Mirror {
  const fields = new Fields(table, file, 'registry.mirror.');
  const location = bare(fields.text('location'));
  if (location === '') throw fields.wrong('a mirror has no location');
  checkLocation(location, fields);
  const written = fields.text('pull-from-mirror') || (byDigestOnly ? 'digest-only' : 'all');
  if (written !== 'all' && written !== 'digest-only' && written !== 'tag-only')
    throw fields.wrong(`pull-from-mirror "${written}" is not all, digest-only or tag-only`);
  return { location, insecure: fields.flag('insecure'), pullFrom: written };
}

function parseTable(table: Toml, file: string): RegistryTable {
  const fields = new Fields(table, file, 'registry.');
  const location = bare(fields.text('location'));
  const prefix = bare(fields.text('prefix')) || location;
  if (prefix === '') throw fields.wrong('a registry has neither prefix nor location');
  if (prefix.includes('*') && !/^\*\.[^*/:@]+$/.test(prefix))
    throw fields.wrong(
      `prefix "${prefix}": * may only stand for the first parts of a host, as in *.example.com`,
    );
  for (const each of [prefix, location]) checkLocation(each, fields);
  const byDigestOnly = fields.flag('mirror-by-digest-only');
  return {
    prefix,
    location: location === '' && !prefix.startsWith('*') ? prefix : location,
    insecure: fields.flag('insecure'),
    blocked: fields.flag('blocked'),
    mirrors: fields.tables('mirror').map((mirror) => parseMirror(mirror, file, byDigestOnly)),
    file,
  };
}

/** Version 1: lists of registries that are insecure, blocked, or searched. */
function parseVersion1(lists: Toml, file: string): Pick<RegistriesConf, 'search' | 'tables'> {
  const of = (kind: string): string[] | undefined =>
    new Fields(new Fields(lists, file, 'registries.').table(kind), file, `registries.${kind}.`).texts(
      'registries',
    );
  const [insecure, blocked] = [of('insecure') ?? [], of('block') ?? []];
  const tables = [...new Set([...insecure, ...blocked])].map((prefix) => ({
    prefix,
    location: prefix,
    insecure: insecure.includes(prefix),
    blocked: blocked.includes(prefix),
    mirrors: [],
    file,
  }));
  return { search: of('search'), tables };
}

/** What a file says. Throws ERR_TSRUN_REGISTRIES_CONF, naming the file. */
export function parseRegistriesConf(value: Toml, file: string): RegistriesConf {
  const fields = new Fields(value, file, '');
  const old = parseVersion1(fields.table('registries'), file);
  const aliases = new Map<string, string>();
  const table = fields.table('aliases');
  for (const name of Object.keys(table)) aliases.set(name, new Fields(table, file, 'aliases.').text(name));
  return {
    search: fields.texts('unqualified-search-registries') ?? old.search,
    credentialHelpers: fields.texts('credential-helpers'),
    tables: [...fields.tables('registry').map((each) => parseTable(each, file)), ...old.tables],
    aliases,
  };
}

/** Files in their order: a later one's list, table of the same prefix, or alias takes the place of an earlier one's. */
export function mergeRegistriesConf(files: readonly RegistriesConf[]): RegistriesConf {
  const tables = new Map<string, RegistryTable>();
  const aliases = new Map<string, string>();
  let search: string[] | undefined;
  let credentialHelpers: string[] | undefined;
  for (const file of files) {
    search = file.search ?? search;
    credentialHelpers = file.credentialHelpers ?? credentialHelpers;
    for (const table of file.tables) tables.set(table.prefix, table);
    for (const [name, full] of file.aliases) {
      if (full === '') aliases.delete(name);
      else aliases.set(name, full);
    }
  }
  return { search, credentialHelpers, tables: [...tables.values()], aliases };
}

/** How much of `name` a prefix covers, in characters; undefined when it is not its beginning. */
function coveredBy(prefix: string, name: string): number | undefined {
  if (prefix.startsWith('*.')) {
    const host = name.split('/', 1)[0] ?? '';
    return host.replace(/:\d+$/, '').endsWith(prefix.slice(1)) ? host.length : undefined;
  }
  if (!name.startsWith(prefix)) return undefined;
  return name.length === prefix.length || /[/:@]/.test(name[prefix.length] ?? '') ? prefix.length : undefined;
}

/** The table for a full name: that with the longest prefix. */
export function tableFor(conf: RegistriesConf, name: string): RegistryTable | undefined {
  return conf.tables
    .filter((table) => coveredBy(table.prefix, name) !== undefined)
    .sort((a, b) => b.prefix.length - a.prefix.length)[0];
}

/** One place where an image may be. */
export interface Endpoint {
  /** What it is called there. */
  reference: Reference;
  insecure: boolean;
  isMirror: boolean;
}

/**
 * Where an image is to be looked for, in this order: the mirrors, and last the registry itself.
 * Throws ERR_TSRUN_REGISTRY_BLOCKED, and ERR_TSRUN_REGISTRIES_CONF for a location that is none.
 */
export function endpointsFor(conf: RegistriesConf, reference: Reference): Endpoint[] {
  const name = formatReference(reference);
  const table = tableFor(conf, name);
  if (table === undefined) return [{ reference, insecure: false, isMirror: false }];
  if (table.blocked) {
    throw tsrunError('ERR_TSRUN_REGISTRY_BLOCKED', { name, prefix: table.prefix, file: table.file });
  }
  const covered = coveredBy(table.prefix, name) ?? 0;
  const at = (location: string): Reference => {
    if (location === '') return reference;
    try {
      return parseReference(`${location}${name.slice(covered)}`);
    } catch (error) {
      const problem = `location "${location}" makes no name of ${name}`;
      throw tsrunError('ERR_TSRUN_REGISTRIES_CONF', { file: table.file, problem }, error);
    }
  };
  const kind = reference.digest === undefined ? 'tag-only' : 'digest-only';
  const mirrors = table.mirrors.filter(({ pullFrom }) => pullFrom === 'all' || pullFrom === kind);
  return [
    ...mirrors.map((mirror) => ({
      reference: at(mirror.location),
      insecure: mirror.insecure,
      isMirror: true,
    })),
    { reference: at(table.location), insecure: table.insecure, isMirror: false },
  ];
}
