/**
 * The user's configuration (user-config-path.ts): defaults of options. What it says is checked whole: a key that nobody reads would be a wish
 * that is ignored.
 */
import { readFileSync } from 'node:fs';
import { TsrunError, tsrunError } from '../errors.ts';
import type { UnpackLimits } from '../image/unpack/limits.ts';
import { parseNetwork } from '../network/parse-network.ts';
import { checkLimits } from './limits-table.ts';

export interface UserConfig {
  /** Default of --network, as it would be written there. */
  network?: string | undefined;
  /** `[limits]`: what a layer may cost. */
  limits?: Partial<UnpackLimits> | undefined;
}

const KEYS = ['network', 'limits'];

/** @throws ERR_TSRUN_CONFIG, naming the file and the line */
export async function readUserConfig(file: string): Promise<UserConfig> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw tsrunError('ERR_TSRUN_CONFIG', { place: file, problem: 'it cannot be read' }, error);
  }
  const { parse, TomlError } = await import('smol-toml');
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (error) {
    const place = error instanceof TomlError ? `${file}:${error.line}` : file;
    throw tsrunError('ERR_TSRUN_CONFIG', { place, problem: 'it is not TOML' }, error);
  }
  return checkUserConfig(table, (key) => `${file}${lineOf(text, key)}`);
}

/** `:LINE` of a top-level key or table, '' if it is written in a way that hides it. */
function lineOf(text: string, key: string): string {
  const isThere = (line: string): boolean =>
    new RegExp(`^\\s*\\[{0,2}\\s*["']?${key.replaceAll(/[^\w-]/g, '\\$&')}["']?\\s*[=.\\]]`).test(line);
  const index = text.split('\n').findIndex(isThere);
  return index < 0 ? '' : `:${index + 1}`;
}

/** @param placeOf where a key is. @throws ERR_TSRUN_CONFIG */
export function checkUserConfig(
  table: Readonly<Record<string, unknown>>,
  placeOf: (key: string) => string,
): UserConfig {
  const unknown = Object.keys(table).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    const problem = `"${unknown}" is not one of its keys (${KEYS.join(', ')})`;
    throw tsrunError('ERR_TSRUN_CONFIG', { place: placeOf(unknown), problem });
  }
  const refusal = (key: string) => (problem: string) =>
    tsrunError('ERR_TSRUN_CONFIG', { place: placeOf(key), problem: `${key}: ${problem}` });
  const { network, limits } = table;
  return {
    ...(limits !== undefined && { limits: checkLimits(limits, refusal('limits')) }),
    ...(network !== undefined && { network: checkNetwork(network, refusal('network')) }),
  };
}

function checkNetwork(network: unknown, refuse: (problem: string) => Error): string {
  if (typeof network !== 'string' || network === '')
    throw refuse('a text is expected, such as "private", "bridge" or the name of a network');
  try {
    parseNetwork(network);
  } catch (error) {
    if (!(error instanceof TsrunError)) throw error;
    throw refuse(error.message);
  }
  return network;
}
