/**
 * The steps of a plan in the order in which a person reads them: each process's from top to bottom, a child's right below the clone
 * that makes it. The numbers are those of `explain` and of `--trace` alike.
 */
import type { Program, Step } from '../sys/step.ts';

export interface NumberedStep {
  /** From 1, through all programs of a plan. */
  number: number;
  step: Step;
  /** How many clones it is away from the program's own process. */
  depth: number;
}

function* walk(steps: readonly Step[], depth: number): Generator<Omit<NumberedStep, 'number'>> {
  for (const step of steps) {
    yield { step, depth };
    if (step.op.kind === 'clone') yield* walk(step.op.child, depth + 1);
  }
}

/** The steps of each program, numbered through. */
export function numberSteps(programs: readonly Pick<Program, 'steps'>[]): NumberedStep[][] {
  let number = 0;
  return programs.map(({ steps }) => [...walk(steps, 0)].map((found) => ({ ...found, number: ++number })));
}
