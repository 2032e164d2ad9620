/**
 * The decision graph that a filter is made of, and its layout as BPF.
 *
 * Equal nodes are one node ({@link DecisionGraph} interns them), so rules that end alike share their instructions. BPF jumps
 * only forward and a conditional jump only 255 instructions far, so the layout is written from its end: when a node is
 * placed, all that it can jump to already is, and what is too far away gets an unconditional jump (or a copy of the return) nearby.
 */
import { BPF, type Instruction } from './bpf.ts';

export type Comparison = typeof BPF.IF_EQUAL | typeof BPF.IF_GREATER | typeof BPF.IF_GREATER_EQUAL;

/** A question about the accumulator, a change of it, or an answer. */
export type Decision =
  | { readonly kind: 'return'; readonly value: number }
  | { readonly kind: 'load'; readonly offset: number; readonly next: Decision }
  | { readonly kind: 'and'; readonly mask: number; readonly next: Decision }
  | {
      readonly kind: 'if';
      readonly op: Comparison;
      readonly k: number;
      readonly yes: Decision;
      readonly no: Decision;
    };

/** Makes nodes; equal ones are identical, so `===` compares decisions. */
export class DecisionGraph {
  readonly #nodes = new Map<string, Decision>();
  readonly #ids = new Map<Decision, number>();

  return(value: number): Decision {
    return this.#intern(`r${value}`, { kind: 'return', value });
  }
  load(offset: number, next: Decision): Decision {
    return next.kind === 'return'
      ? next
      : this.#intern(`l${offset} ${this.#id(next)}`, { kind: 'load', offset, next });
  }
  and(mask: number, next: Decision): Decision {
    if (next.kind === 'return') return next;
    return mask >>> 0 === 0xffffffff
      ? next
      : this.#intern(`a${mask} ${this.#id(next)}`, { kind: 'and', mask, next });
  }
  if(op: Comparison, k: number, yes: Decision, no: Decision): Decision {
    if (yes === no) return yes;
    return this.#intern(`i${op} ${k} ${this.#id(yes)} ${this.#id(no)}`, { kind: 'if', op, k, yes, no });
  }

  #id(node: Decision): number {
    return this.#ids.get(node) ?? -1;
  }
  #intern(key: string, node: Decision): Decision {
    const known = this.#nodes.get(key);
    if (known) return known;
    this.#nodes.set(key, node);
    this.#ids.set(node, this.#ids.size);
    return node;
  }
}

/** One less than the reach of a conditional jump, as placing one target may push the other one instruction away. */
const NEAR = 254;

/** Collects instructions from the last one to the first. Distances are counted from the end. */
class Layout {
  readonly #reversed: Instruction[] = [];
  readonly #placed = new Map<Decision, number>();

  place(node: Decision): void {
    if (this.#placed.has(node)) return;
    if (node.kind === 'if') {
      this.place(node.no);
      this.place(node.yes);
      this.#bringNear(node.yes);
      this.#bringNear(node.no);
      this.#emit(node, node.op, node.k, this.#skip(node.yes), this.#skip(node.no));
    } else if (node.kind === 'return') {
      this.#emit(node, BPF.RETURN, node.value, 0, 0);
    } else {
      this.place(node.next);
      if (this.#skip(node.next) > 0) this.#emit(undefined, BPF.JUMP, this.#skip(node.next), 0, 0);
      if (node.kind === 'load') this.#emit(node, BPF.LOAD, node.offset, 0, 0);
      else this.#emit(node, BPF.AND, node.mask, 0, 0);
    }
  }

  instructions(): Instruction[] {
    return this.#reversed.toReversed();
  }

  /** How many instructions lie between the next one emitted and `target`. */
  #skip(target: Decision): number {
    return this.#reversed.length - 1 - (this.#placed.get(target) ?? Number.NaN);
  }

  #bringNear(target: Decision): void {
    if (this.#skip(target) <= NEAR) return;
    if (target.kind === 'return') this.#emit(target, BPF.RETURN, target.value, 0, 0);
    else this.#emit(target, BPF.JUMP, this.#skip(target), 0, 0);
  }

  /** Puts one more instruction in front; from now on `node` is reached there. */
  #emit(node: Decision | undefined, code: number, k: number, jt: number, jf: number): void {
    this.#reversed.push({ code, jt, jf, k: k >>> 0 });
    if (node) this.#placed.set(node, this.#reversed.length - 1);
  }
}

/** The instructions that decide as `root` does. */
export function layOut(root: Decision): Instruction[] {
  const layout = new Layout();
  layout.place(root);
  return layout.instructions();
}
