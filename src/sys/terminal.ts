/**
 * A terminal of this process: its modes (termios(3)) and its size (ioctl_tty(2)).
 *
 * Node's own raw mode leaves the terminal's output processing on (it would put a carriage return before each line feed that a
 * container's program means as "down"), and does nothing when set twice. Node's own idea of the size is that of the first look.
 */
import { call } from './calls.ts';
import { nativeRunner } from './run.ts';
import { Slots } from './step.ts';

/** struct termios of the kernel (asm-generic/termbits.h): iflag, oflag, cflag, lflag; then the line discipline and 19 control characters. */
export type TerminalModes = readonly number[];

const WORDS = 9;
const TCGETS = 0x5401;
const TCSETSW = 0x5403;
const TIOCGWINSZ = 0x5413;

/** @throws SyscallFailure when `fd` is no terminal */
export function terminalModes(fd: number): TerminalModes {
  const slots = new Slots();
  const words = Array.from({ length: WORDS }, (_, i) => slots.new(`termios${i}`));
  const buffer = { fields: words.map((into) => ({ width: 4, into }) as const), say: 'modes' };
  const results = nativeRunner.run({
    slots,
    steps: [call('user', 'the modes of the terminal', 'ioctl', [fd, TCGETS, buffer])],
  });
  return words.map((slot) => results(slot) >>> 0);
}

/** Takes effect when what was written before has been sent. @throws SyscallFailure EIO when the terminal was hung up */
export function setTerminalModes(fd: number, modes: TerminalModes): void {
  const buffer = { fields: modes.map((value) => ({ width: 4, value }) as const), say: 'modes' };
  const steps = [
    call('user', 'set the modes of the terminal', 'ioctl', [fd, TCSETSW, buffer], { retry: true }),
  ];
  nativeRunner.run({ slots: new Slots(), steps });
}

/** The size as it is now; zeros when the terminal does not know. @throws SyscallFailure when `fd` is no terminal */
export function terminalSize(fd: number): { rows: number; columns: number } {
  const slots = new Slots();
  // struct winsize: four uint16, of which the first two are rows and columns
  const both = slots.new('rows, columns');
  const fields = [{ width: 4, into: both } as const, { bytes: new Uint8Array(4) }];
  const args = [fd, TIOCGWINSZ, { fields, say: 'size' }];
  const results = nativeRunner.run({
    slots,
    steps: [call('user', 'the size of the terminal', 'ioctl', args)],
  });
  return { rows: results(both) & 0xffff, columns: (results(both) >>> 16) & 0xffff };
}

// asm-generic/termbits.h
const [IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON] = [
  1, 2, 8, 0o40, 0o100, 0o200, 0o400, 0o2000,
];
const OPOST = 1;
const [CSIZE, CS8, PARENB] = [0o60, 0o60, 0o400];
const [ISIG, ICANON, ECHO, ECHONL, IEXTEN] = [1, 2, 0o10, 0o100, 0o100000];

/** `modes` without any processing of input or output, as cfmakeraw(3) has it: every byte is a byte. */
export function rawModes(modes: TerminalModes): TerminalModes {
  const [iflag = 0, oflag = 0, cflag = 0, lflag = 0, line = 0, control = 0, ...rest] = modes;
  return [
    iflag & ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON),
    oflag & ~OPOST,
    (cflag & ~(CSIZE | PARENB)) | CS8,
    lflag & ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN),
    line,
    // The word holds VINTR+3 … : bytes 20 to 23 of the struct, of which 22 is VTIME = 0 and 23 is VMIN = 1.
    (control & 0x0000ffff) | 0x01000000,
    ...rest,
  ].map((word) => word >>> 0);
}
