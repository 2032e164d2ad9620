/** A template's tree and a value → text. */
import { usageError } from '../../parse/usage.ts';
import { FUNCTIONS, isTrue } from './functions.ts';
import { goText } from './go-text.ts';
import type { Command, Node, Operand, Pipeline } from './parse.ts';

interface Scope {
  /** `.` */
  cursor: unknown;
  /** `$x`; the outermost `$` has the empty name. */
  variables: ReadonlyMap<string, unknown>;
}

/** A field that takes arguments, such as docker's `.Label "key"`. */
export type Method = (...args: unknown[]) => unknown;

const capitalized = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1);

function field(value: unknown, name: string, path: string): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'object' && !Array.isArray(value)) {
    if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
    // A key of a map (labels, options) may be missing; a field, which is written in capitals, is a slip of the pen, and so is one that is not.
    if (!/^[A-Z]/.test(name) && !Object.hasOwn(value, capitalized(name))) return undefined;
    throw usageError(`--format: there is no ${path}; there are ${Object.keys(value).join(', ')}`);
  }
  throw usageError(`--format: there is no ${path}: it stands on ${goText(value) || 'an empty text'}`);
}

const fieldsOf = (start: unknown, names: readonly string[]): unknown =>
  names.reduce<unknown>(
    (value, name, depth) => field(value, name, `.${names.slice(0, depth + 1).join('.')}`),
    start,
  );

function operand(node: Operand, scope: Scope): unknown {
  switch (node.kind) {
    case 'literal':
      return node.value;
    case 'cursor':
      return fieldsOf(scope.cursor, node.fields);
    case 'variable':
      if (!scope.variables.has(node.name)) throw usageError(`--format: $${node.name} has no value`);
      return fieldsOf(scope.variables.get(node.name), node.fields);
    case 'pipeline':
      return fieldsOf(evaluate(node.pipeline, scope), node.fields);
    case 'function':
      return FUNCTIONS[node.name]?.([]);
  }
}

/** @param piped the value of the command before, as the last argument */
function call(command: Command, scope: Scope, piped: readonly unknown[]): unknown {
  const [first, ...rest] = command;
  const args = (): unknown[] => [...rest.map((node) => operand(node, scope)), ...piped];
  if (first.kind === 'function') return FUNCTIONS[first.name]?.(args());
  const value = operand(first, scope);
  if (typeof value === 'function') return (value as Method)(...args());
  if (rest.length + piped.length > 0) throw usageError(`--format: ${goText(value)} takes no arguments`);
  return value;
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let piped: unknown[] = [];
  for (const command of pipeline) piped = [call(command, scope, piped)];
  return piped[0];
}

/** Key and value of each element: of a list in order, of a map by its sorted keys. */
function elements(value: unknown): [unknown, unknown][] {
  if (Array.isArray(value)) return [...value.entries()];
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  }
  if (value === null || value === undefined) return [];
  throw usageError(`--format: range over ${goText(value)}, which is neither a list nor a map`);
}

function range(node: Extract<Node, { kind: 'range' }>, scope: Scope): string {
  const all = elements(evaluate(node.pipeline, scope));
  if (all.length === 0) return nodes(node.otherwise, scope);
  const [first, second] = node.names;
  return all
    .map(([key, value]) => {
      const variables = new Map(scope.variables);
      if (second !== undefined) variables.set(second, value);
      if (first !== undefined) variables.set(first, second === undefined ? value : key);
      return nodes(node.then, { cursor: value, variables });
    })
    .join('');
}

function nodes(list: readonly Node[], outer: Scope): string {
  let scope = outer;
  let output = '';
  for (const node of list) {
    if (node.kind === 'text') output += node.text;
    else if (node.kind === 'output') output += goText(evaluate(node.pipeline, scope));
    else if (node.kind === 'range') output += range(node, scope);
    else if (node.kind === 'assign') {
      scope = {
        ...scope,
        variables: new Map(scope.variables).set(node.name, evaluate(node.pipeline, scope)),
      };
    } else {
      const value = evaluate(node.pipeline, scope);
      const inner = node.kind === 'with' ? { ...scope, cursor: value } : scope;
      output += isTrue(value) ? nodes(node.then, inner) : nodes(node.otherwise, scope);
    }
  }
  return output;
}

/** Throws ERR_TSRUN_USAGE when the template asks for what is not there. */
export function executeTemplate(template: readonly Node[], value: unknown): string {
  return nodes(template, { cursor: value, variables: new Map([['', value]]) });
}
