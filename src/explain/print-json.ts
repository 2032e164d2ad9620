/** A plan as JSON: `tsrun explain run --format json`. Numbers that JSON cannot hold are strings of digits. */
import { type Argument, type Field, type Memory, type Op, Slot } from '../sys/step.ts';
import { describeCall, SlotNames } from './describe-call.ts';
import { type NumberedStep, numberSteps } from './numbered-steps.ts';
import { namespacesOf, type Plan } from './plan.ts';

/** Pretty-printed, ending in a newline. */
export function printJson(plan: Plan): string {
  const numbered = numberSteps(plan.programs.map(({ program }) => program));
  const { programs, ...rest } = plan;
  const document = {
    ...rest,
    namespaces: namespacesOf(plan),
    programs: programs.map(({ title, program }, i) => {
      const slots = new SlotNames();
      return {
        title,
        slotCount: program.slots.count,
        steps: (numbered[i] ?? []).map((step) => stepData(step, slots)),
      };
    }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function stepData({ number, step, depth }: NumberedStep, slots: SlotNames): object {
  return {
    number,
    depth,
    actor: step.actor,
    why: step.why,
    call: describeCall(step, slots),
    ...opData(step.op),
    ...(step.result && { result: slotData(step.result) }),
    ...(step.tolerate && { tolerate: step.tolerate }),
    ...(step.retry && { retry: true }),
  };
}

/** What is executed, undecoded. A clone's child is the steps below it, one deeper. */
function opData(op: Op): object {
  switch (op.kind) {
    case 'syscall':
      return { op: 'syscall', name: op.name, arguments: op.args.map(argumentData) };
    case 'clone':
      return {
        op: 'clone',
        flags: integer(op.flags),
        exitSignal: op.exitSignal,
        ...(op.pidfd && { pidfd: slotData(op.pidfd) }),
      };
    case 'expect':
      return { op: 'expect', value: slotData(op.value), equals: integer(op.equals), errno: op.errno };
    case 'compare':
      return { op: 'compare', buffer: argumentData(op.buffer), equals: op.equals, errno: op.errno };
    case 'check':
      return { op: 'check', value: slotData(op.value) };
    case 'remove-tree':
      return {
        op: 'remove-tree',
        directory: argumentData(op.dir),
        path: op.path,
        ...(op.cgroups && { cgroups: true }),
      };
    case 'make-path':
      return {
        op: 'make-path',
        root: argumentData(op.root),
        path: op.path,
        mode: op.mode,
        file: op.file === true,
      };
    case 'report':
      return { op: 'report', fd: argumentData(op.fd) };
  }
}

const integer = (value: number | bigint): number | string =>
  Number.isSafeInteger(Number(value)) ? Number(value) : String(value);

const slotData = (slot: Slot): object => ({ slot: slot.index, name: slot.name });

function argumentData(argument: Argument): unknown {
  if (argument instanceof Slot) return slotData(argument);
  if (typeof argument === 'number' || typeof argument === 'bigint') return integer(argument);
  return memoryData(argument);
}

const textData = (part: string | Slot): unknown => (part instanceof Slot ? slotData(part) : part);

function memoryData(memory: Memory): unknown {
  if (typeof memory === 'string') return memory;
  // Whole binaries travel in some: what they are is said by the step.
  if (memory instanceof Uint8Array) return { bytes: memory.length };
  if ('buffer' in memory) return memory;
  if ('text' in memory) return { text: memory.text.map(textData) };
  if ('strings' in memory)
    return {
      strings: memory.strings.map((item) =>
        typeof item === 'string' ? item : { text: item.text.map(textData) },
      ),
    };
  return { fields: memory.fields.map(fieldData), ...(memory.say !== undefined && { say: memory.say }) };
}

function fieldData(field: Field): unknown {
  if ('value' in field) return { width: field.width, value: integer(field.value) };
  if ('from' in field) return { width: field.width, from: slotData(field.from) };
  if ('into' in field) return { width: field.width, into: slotData(field.into) };
  if ('pointer' in field) return { pointer: memoryData(field.pointer) };
  return { bytes: field.bytes.length };
}
