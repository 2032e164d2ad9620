/**
 * The budgets, as ratios within one run: machines differ, and a busy one is slower throughout.
 *
 * "`node -e 0` + 14 ms" was set where `node -e 0` takes {@link NODE_MS}, and means here the same multiple of it; so do all milliseconds.
 */
export const NODE_MS = 23;

export type Budget =
  /** At most so many milliseconds more than `node -e 0`, and another measurement of tsrun besides. */
  | { kind: 'node'; plusMs: number; besides?: string }
  /** At most so many milliseconds more than another measurement of tsrun. */
  | { kind: 'more'; than: string; plusMs: number }
  /** At most this part of podman 5's time. */
  | { kind: 'podman5'; part: number }
  /** Not slower than any other. */
  | { kind: 'fastest' }
  /** At most this multiple of another measurement of tsrun. */
  | { kind: 'multiple'; of: string; factor: number }
  | { kind: 'KiB'; most: number };

/** What a budget is judged by; undefined where it was not measured. */
export interface Facts {
  value: number;
  node: number | undefined;
  podman5: number | undefined;
  /** The fastest of the others. */
  fastest: number | undefined;
  tsrun(name: string): number | undefined;
}

/** The limit in the measurement's own unit; undefined when what it depends on was not measured. */
export function limitOf(budget: Budget, facts: Facts): number | undefined {
  const times = (base: number | undefined, factor: number): number | undefined => base && base * factor;
  const sum = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? undefined : a + b;
  switch (budget.kind) {
    case 'node':
      return sum(
        times(facts.node, (NODE_MS + budget.plusMs) / NODE_MS),
        budget.besides === undefined ? 0 : facts.tsrun(budget.besides),
      );
    case 'more':
      return sum(facts.tsrun(budget.than), times(facts.node, budget.plusMs / NODE_MS));
    case 'podman5':
      return times(facts.podman5, budget.part);
    case 'fastest':
      return facts.fastest;
    case 'multiple':
      return times(facts.tsrun(budget.of), budget.factor);
    case 'KiB':
      return budget.most;
  }
}

export function sayBudget(budget: Budget): string {
  switch (budget.kind) {
    case 'node':
      return `${((NODE_MS + budget.plusMs) / NODE_MS).toFixed(2)} × node${budget.besides ? ` + ${budget.besides}` : ''}`;
    case 'more':
      return `${budget.than} + ${(budget.plusMs / NODE_MS).toFixed(2)} × node`;
    case 'podman5':
      return `${budget.part} × podman 5`;
    case 'fastest':
      return 'the fastest of the others';
    case 'multiple':
      return `${budget.factor} × ${budget.of}`;
    case 'KiB':
      return `${budget.most} KiB`;
  }
}

/** `OK`, or which budgets are exceeded, and by how much; `–` where nothing could be judged. */
export function judge(budgets: readonly Budget[], facts: Facts): string {
  const judged = budgets.flatMap((budget) => {
    const limit = limitOf(budget, facts);
    return limit === undefined ? [] : [{ budget, ratio: facts.value / limit }];
  });
  if (judged.length === 0) return '–';
  const over = judged.filter(({ ratio }) => ratio > 1);
  if (over.length === 0) return 'OK';
  return over
    .map(({ budget, ratio }) => `over ${sayBudget(budget)} by ${Math.round((ratio - 1) * 100)} %`)
    .join('; ');
}
