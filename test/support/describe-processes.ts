/** What the processes of a store are doing, for the message of a test whose command did not end. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { processesOfStore } from './leaks.ts';

/** What `read` returns; why not, in brackets. */
function orWhy(read: () => string): string {
  try {
    return read().trim();
  } catch (error) {
    return `[${(error as NodeJS.ErrnoException).code}]`;
  }
}

const file = (pid: number | string, name: string): string =>
  orWhy(() => readFileSync(`/proc/${pid}/${name}`, 'latin1'));

/** name, state and parent, what it waits for in the kernel, and which system call it is in: all in /proc, see proc(5). */
function describeTask(path: string): string {
  const [, name = '?', state = '?', parent = '?'] =
    /^\d+ \((.*)\) (\S) (\d+)/s.exec(file(path, 'stat')) ?? [];
  return `${name} ${state} parent ${parent} wchan ${file(path, 'wchan')} syscall ${file(path, 'syscall')}`;
}

function describeFds(pid: number): string[] {
  const names = orWhy(() => readdirSync(`/proc/${pid}/fd`).join(' ')).split(' ');
  return names.map((fd) => {
    const lock = /^lock:.*$/m.exec(file(pid, `fdinfo/${fd}`))?.[0] ?? '';
    return `    ${fd} -> ${orWhy(() => readlinkSync(`/proc/${pid}/fd/${fd}`))} ${lock}`;
  });
}

function describe(pid: number, command: string): string {
  const tasks = orWhy(() => readdirSync(`/proc/${pid}/task`).join(' ')).split(' ');
  return [
    `process ${pid}: ${command}`,
    ...tasks.map((task) => `  task ${task}: ${describeTask(`${pid}/task/${task}`)}`),
    `  stack ${file(pid, 'stack')}`,
    ...describeFds(pid),
  ].join('\n');
}

/** The processes that belong to the store in `directory`: tasks, and descriptors with the locks that they hold. */
export const describeProcesses = (directory: string): string =>
  processesOfStore(directory)
    .map(({ pid, command }) => describe(pid, command))
    .join('\n');
