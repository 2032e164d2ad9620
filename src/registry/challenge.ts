/**
 * WWW-Authenticate (RFC 9110 §11.6.1): a list of challenges, each a scheme followed by parameters.
 *
 *   Bearer realm="https://auth.example/token",service="example",scope="repository:a/b:pull", Basic realm="x"
 *
 * Commas separate both challenges and parameters; what follows tells which: `word =` is a parameter, `word` a scheme.
 */

export interface Challenge {
  /** lowercase */
  scheme: string;
  /** names in lowercase */
  parameters: Record<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const PARAMETER = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const SEPARATOR = /[ \t,]*/y;

/** Matches a sticky expression at `position` of `text`. */
function matchAt(expression: RegExp, text: string, position: number): RegExpExecArray | null {
  expression.lastIndex = position;
  return expression.exec(text);
}

/** Reads one header; stops at what is no challenge, keeping those before. */
function parseHeader(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let position = 0;
  for (;;) {
    position += matchAt(SEPARATOR, header, position)?.[0].length ?? 0;
    const current = challenges.at(-1);
    const parameter = current && matchAt(PARAMETER, header, position);
    if (current && parameter?.[1] !== undefined) {
      const value = parameter[2] === undefined ? parameter[3] : parameter[2].replace(/\\(.)/g, '$1');
      current.parameters[parameter[1].toLowerCase()] ??= value ?? '';
      position += parameter[0].length;
      continue;
    }
    const scheme = matchAt(TOKEN, header, position)?.[0];
    if (scheme === undefined || header[position + scheme.length] === '=') return challenges;
    challenges.push({
      scheme: scheme.toLowerCase(),
      parameters: Object.create(null) as Record<string, string>,
    });
    position += scheme.length;
    // Negotiate and its like carry one token instead of parameters.
    const gap = /^[ \t]+/.exec(header.slice(position))?.[0].length ?? 0;
    if (gap > 0 && matchAt(PARAMETER, header, position + gap) === null) {
      position += gap + (matchAt(TOKEN68, header, position + gap)?.[0].length ?? 0);
    }
  }
}

/** All challenges of a response, in their order. Never throws. */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  if (header === undefined) return [];
  return (typeof header === 'string' ? [header] : header).flatMap(parseHeader);
}
