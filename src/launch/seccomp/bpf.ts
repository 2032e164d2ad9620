/**
 * Classic BPF as seccomp(2) uses it: instructions, what they look at, and their encoding.
 *
 * Sources: linux/filter.h (struct sock_filter), linux/bpf_common.h (opcodes), linux/seccomp.h (struct seccomp_data, return values).
 */

/** One struct sock_filter. `jt` and `jf` count the instructions to skip (0–255); all jumps go forward. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** The only opcodes that the compiler emits. Each acts on the accumulator A. */
export const BPF = {
  /** A = the 32-bit word at offset k of struct seccomp_data */
  LOAD: 0x20,
  /** A &= k */
  AND: 0x54,
  /** skip k instructions */
  JUMP: 0x05,
  /** A == k ? jt : jf */
  IF_EQUAL: 0x15,
  /** A > k ? jt : jf, unsigned */
  IF_GREATER: 0x25,
  /** A >= k ? jt : jf, unsigned */
  IF_GREATER_EQUAL: 0x35,
  /** A & k ? jt : jf */
  IF_SET: 0x45,
  /** the filter's answer is k */
  RETURN: 0x06,
} as const;

/** Offsets in struct seccomp_data { int nr; u32 arch; u64 instruction_pointer; u64 args[6]; }, 64 bytes. */
export const SECCOMP_DATA = {
  nr: 0,
  arch: 4,
  /** Both machines are little-endian, so the low half of an argument comes first. */
  low: (index: number): number => 16 + 8 * index,
  high: (index: number): number => 20 + 8 * index,
} as const;

/** linux/seccomp.h: the upper 16 bits of an answer say what is done; errno, trap and trace carry a number below. */
export const SECCOMP_RET = {
  KILL_PROCESS: 0x80000000,
  KILL_THREAD: 0x00000000,
  TRAP: 0x00030000,
  ERRNO: 0x00050000,
  USER_NOTIF: 0x7fc00000,
  TRACE: 0x7ff00000,
  LOG: 0x7ffc0000,
  ALLOW: 0x7fff0000,
} as const;

/** linux/audit.h: EM_* with __AUDIT_ARCH_64BIT and __AUDIT_ARCH_LE. */
export const AUDIT_ARCH = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;
/** 32-bit x86, which an x86-64 kernel runs as well. */
export const AUDIT_ARCH_I386 = 0x40000003;

/** Numbers from here up are x86-64 processes calling by the x32 table (asm/unistd.h: __X32_SYSCALL_BIT). */
export const X32_SYSCALL_BIT = 0x40000000;

/** The kernel takes no longer filter (BPF_MAXINSNS). */
export const MAX_INSTRUCTIONS = 4096;

/** The instructions as an array of struct sock_filter { u16 code; u8 jt; u8 jf; u32 k; }, 8 bytes each. */
export function encodeFilter(instructions: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(instructions.length * 8));
  instructions.forEach(({ code, jt, jf, k }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  });
  return new Uint8Array(view.buffer);
}

/** The reverse of {@link encodeFilter}. Throws RangeError when `bytes` is no whole number of instructions. */
export function decodeFilter(bytes: Uint8Array): Instruction[] {
  if (bytes.length % 8 !== 0)
    throw new RangeError(`${bytes.length} bytes are no array of struct sock_filter`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 8 }, (_, index) => ({
    code: view.getUint16(index * 8, true),
    jt: view.getUint8(index * 8 + 2),
    jf: view.getUint8(index * 8 + 3),
    k: view.getUint32(index * 8 + 4, true),
  }));
}
