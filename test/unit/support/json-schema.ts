/** As much of JSON Schema (2020-12) as the schemas in docs/ use. A keyword that it does not know is an error, so none is ignored. */
type Schema = Record<string, unknown>;

const ANNOTATIONS = new Set(['$schema', '$defs', 'title', 'description']);

/** The violations, each with its place; none = valid. */
export function violations(root: Schema, value: unknown, schema: Schema = root, at = '$'): string[] {
  return Object.entries(schema).flatMap(([keyword, rule]) => {
    if (ANNOTATIONS.has(keyword)) return [];
    const validate = KEYWORDS[keyword];
    if (!validate) throw new Error(`the test's validator does not know the keyword ${keyword}`);
    return validate(
      rule as never,
      value as never,
      (next, inner, where) => violations(root, inner, next, `${at}${where}`),
      root,
      schema,
    ).map((problem) => (problem.startsWith('$') ? problem : `${at}: ${problem}`));
  });
}

type Recurse = (schema: Schema, value: unknown, where: string) => string[];
type Keyword = (rule: never, value: never, recurse: Recurse, root: Schema, schema: Schema) => string[];

const fail = (bad: boolean, problem: string): string[] => (bad ? [problem] : []);
const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const KEYWORDS: Record<string, Keyword> = {
  $ref: (rule: string, value: unknown, recurse, root) => {
    const target = rule
      .replace(/^#\//, '')
      .split('/')
      .reduce<unknown>((node, key) => (isObject(node) ? node[key] : undefined), root);
    if (!isObject(target)) throw new Error(`no ${rule} in the schema`);
    return recurse(target, value, '');
  },
  type: (rule: string, value: unknown) =>
    fail((Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value) !== rule, `is no ${rule}`),
  const: (rule: unknown, value: unknown) => fail(value !== rule, `is not ${rule}`),
  enum: (rule: unknown[], value: unknown) => fail(!rule.includes(value), `is none of ${rule}`),
  pattern: (rule: string, value: unknown) =>
    fail(typeof value === 'string' && !new RegExp(rule).test(value), `does not match ${rule}`),
  minLength: (rule: number, value: unknown) =>
    fail(typeof value === 'string' && value.length < rule, 'is too short'),
  minItems: (rule: number, value: unknown) =>
    fail(Array.isArray(value) && value.length < rule, 'has too few items'),
  items: (rule: Schema, value: unknown, recurse) =>
    Array.isArray(value) ? value.flatMap((item, index) => recurse(rule, item, `[${index}]`)) : [],
  required: (rule: string[], value: unknown) =>
    rule.flatMap((key) => fail(isObject(value) && !Object.hasOwn(value, key), `has no ${key}`)),
  dependentRequired: (rule: Record<string, string[]>, value: unknown) =>
    Object.entries(rule).flatMap(([key, needed]) =>
      needed.flatMap((other) =>
        fail(
          isObject(value) && Object.hasOwn(value, key) && !Object.hasOwn(value, other),
          `has ${key} without ${other}`,
        ),
      ),
    ),
  properties: (rule: Record<string, Schema>, value: unknown, recurse) =>
    isObject(value)
      ? Object.entries(rule).flatMap(([key, inner]) =>
          Object.hasOwn(value, key) ? recurse(inner, value[key], `.${key}`) : [],
        )
      : [],
  additionalProperties: (rule: boolean, value: unknown, _recurse, _root, schema) => {
    if (rule !== false || !isObject(value)) return [];
    const known = isObject(schema.properties) ? schema.properties : {};
    return Object.keys(value).flatMap((key) => fail(!Object.hasOwn(known, key), `has an unknown ${key}`));
  },
};
