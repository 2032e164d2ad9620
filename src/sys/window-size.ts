import { call } from './calls.ts';
import { ERRNO } from './errno.ts';
import { nativeRunner, SyscallFailure } from './run.ts';
import { Slots } from './step.ts';

const TIOCGWINSZ = 0x5413;

/** The size of the terminal `fd` in characters, at this moment (ioctl_tty(2)); undefined when it is none or does not know. */
export function terminalSize(fd: number): { rows: number; columns: number } | undefined {
  const slots = new Slots();
  const characters = slots.new('rows and columns');
  const winsize = { fields: [{ width: 4, into: characters } as const, { width: 4, value: 0 } as const] };
  try {
    const results = nativeRunner.run({
      slots,
      steps: [call('user', 'the size of the terminal', 'ioctl', [fd, TIOCGWINSZ, winsize])],
    });
    // struct winsize: rows and columns are 16 bits each.
    const both = results(characters);
    const [rows, columns] = [both & 0xffff, (both >>> 16) & 0xffff];
    return rows > 0 && columns > 0 ? { rows, columns } : undefined;
  } catch (error) {
    if (error instanceof SyscallFailure && error.errno === ERRNO.ENOTTY) return undefined;
    throw error;
  }
}
