/** System call numbers, by name and architecture. A name is one that at least one of the architectures has. */
import { arm64Syscalls } from './syscalls-arm64.ts';
import { x64Syscalls } from './syscalls-x64.ts';

export type SyscallName = keyof ReturnType<typeof x64Syscalls> | keyof ReturnType<typeof arm64Syscalls>;

export type Architecture = 'x64' | 'arm64';

type Table = Readonly<Partial<Record<string, number>>>;

/** Functions make the tables, so that a start makes none but its own machine's. */
const MAKE: Readonly<Record<Architecture, () => Table>> = { x64: x64Syscalls, arm64: arm64Syscalls };

const tables: Partial<Record<Architecture, Table>> = {};

function tableOf(arch: Architecture): Table {
  let table = tables[arch];
  if (table === undefined) {
    table = MAKE[arch]();
    tables[arch] = table;
  }
  return table;
}

/** The number of `name` on `arch`, or undefined where it has none. */
export function syscallNumber(name: SyscallName, arch: Architecture): number | undefined {
  return tableOf(arch)[name];
}

/** Whether an architecture has a system call of that name. */
export const isSyscallName = (name: string): name is SyscallName =>
  Object.hasOwn(tableOf('x64'), name) || Object.hasOwn(tableOf('arm64'), name);

/** All names, in no order. */
export const syscallNames = (): SyscallName[] => [
  ...(new Set([...Object.keys(tableOf('x64')), ...Object.keys(tableOf('arm64'))]) as Set<SyscallName>),
];
