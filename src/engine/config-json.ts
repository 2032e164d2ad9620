/** config.json as text. Some numbers of the runtime-spec are uint64, more than a JavaScript number holds: those are written exactly. */
import type { RuntimeConfig } from '../spec/runtime.ts';

/** JSON.rawJSON (ECMAScript 2025), which TypeScript's library does not have yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): object }).rawJSON;

export function stringifyConfig(config: RuntimeConfig): string {
  try {
    return JSON.stringify(config); // without a function for each value: in nearly all configurations there is no such number
  } catch {
    return JSON.stringify(config, (_key, value: unknown) =>
      typeof value === 'bigint' ? rawJson(String(value)) : value,
    );
  }
}

/** A number that a JavaScript number might not hold. */
const LONG_NUMBER = /[:,[]\s*-?\d{16,}/;

/** What a reviver is told of the text (ECMAScript 2025), which TypeScript's library does not have yet. */
type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;
const exact: Reviver = (_key, value, context) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
    ? BigInt(context?.source ?? 0)
    : value;

/** @throws SyntaxError when the file is damaged */
export const parseConfig = (text: string): RuntimeConfig =>
  JSON.parse(text, LONG_NUMBER.test(text) ? exact : undefined) as RuntimeConfig;
