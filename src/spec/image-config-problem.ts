/**
 * What in the configuration of an image a container could not be made from, or what printing it would trip over. Its digest proves only that
 * it is the one that was named: it may hold anything. What Go's readers refuse is refused here, and so is a NUL, at which the kernel would
 * cut a name or an argument.
 */
type Check = (value: unknown) => boolean;
type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isWord: Check = (value) => typeof value === 'string' && !value.includes('\0');
const areWords: Check = (value) => Array.isArray(value) && value.every(isWord);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isTime: Check = (value) =>
  typeof value === 'string' && (value === '' || !Number.isNaN(Date.parse(value)));

const WORDS = [areWords, 'a list of strings without NUL'] as const;
const WORD = [isWord, 'a string without NUL'] as const;
const TEXT = [isText, 'a string'] as const;
const COUNT = [isCount, 'a number from 0 on'] as const;
const TIME = [isTime, 'a time'] as const;
const NAMES = [
  (value: unknown) => isObject(value) && Object.keys(value).every(isWord),
  'an object whose names hold no NUL',
] as const;

type Fields = Readonly<Record<string, readonly [check: Check, expected: string]>>;

const RUN: Fields = {
  Env: WORDS,
  Entrypoint: WORDS,
  Cmd: WORDS,
  Shell: WORDS,
  OnBuild: [(value) => Array.isArray(value) && value.every(isText), 'a list of strings'],
  User: WORD,
  WorkingDir: WORD,
  StopSignal: WORD,
  ExposedPorts: NAMES,
  Volumes: NAMES,
  Labels: [(value) => isObject(value) && Object.values(value).every(isText), 'an object of strings'],
  Healthcheck: [isObject, 'an object'],
};
const HEALTH: Fields = {
  Test: WORDS,
  Interval: COUNT,
  Timeout: COUNT,
  StartPeriod: COUNT,
  StartInterval: COUNT,
  Retries: COUNT,
};
const STEP: Fields = {
  created: TIME,
  author: TEXT,
  created_by: TEXT,
  comment: TEXT,
  empty_layer: [(value) => typeof value === 'boolean', 'true or false'],
};
const PLATFORM_WORD = /^[\w.-]*$/;
const PLATFORM = [
  (value: unknown) => typeof value === 'string' && PLATFORM_WORD.test(value),
  'the name of a platform',
] as const;
const TOP: Fields = {
  os: PLATFORM,
  architecture: PLATFORM,
  created: TIME,
  author: TEXT,
  variant: PLATFORM,
  config: [isObject, 'an object'],
  history: [Array.isArray, 'a list'],
};

/** The first field of `json` that is there, is not null, and is not what it should be; as a clause. */
function problemIn(json: Json, fields: Fields, prefix: string): string | undefined {
  for (const [name, [check, expected]] of Object.entries(fields)) {
    const value = json[name] ?? undefined;
    if (value !== undefined && !check(value)) return `its ${prefix}${name} is not ${expected}`;
  }
  return undefined;
}

/** Why `json`, which is the configuration of an image, is refused: a clause about it; undefined when it is not. */
export function imageConfigProblem(json: Json): string | undefined {
  const { config, history } = json;
  const health = isObject(config) && isObject(config.Healthcheck) ? config.Healthcheck : {};
  return (
    problemIn(json, TOP, '') ??
    problemIn(isObject(config) ? config : {}, RUN, 'config.') ??
    problemIn(health, HEALTH, 'config.Healthcheck.') ??
    stepProblem(Array.isArray(history) ? history : [])
  );
}

function stepProblem(history: readonly unknown[]): string | undefined {
  for (const [i, step] of history.entries()) {
    if (step !== null && !isObject(step)) return `its history[${i}] is not an object`;
    const problem = problemIn(step ?? {}, STEP, `history[${i}].`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
