/** The numbers of native/program.h, under the same names. test/unit/sys-format.test.ts compares the two files. */
export const PROGRAM_MAGIC = 0x31505354;
export const PROGRAM_MAX_SIZE = 64 << 20;
export const PROGRAM_MAX_SLOTS = 32768;
export const NO_SLOT = 0xffff;

export const OP_SYSCALL = 0;
export const OP_CLONE = 1;
export const OP_TEXT = 2;
export const OP_STORE = 3;
export const OP_LOAD = 4;
export const OP_EXPECT = 5;
export const OP_COMPARE = 6;
export const OP_REMOVE_TREE = 7;
export const OP_REPORT = 8;
export const OP_END = 9;
export const OP_MAKE_PATH = 10;
export const OP_CHECK = 11;
export const OP_KINDS = 12;

export const OP_RETRY = 1;
export const OP_KEEP_EACCES = 2;

export const ARG_IMMEDIATE = 0;
export const ARG_SLOT = 1;
export const ARG_DATA = 2;

/** sizeof(struct program), sizeof(struct op), sizeof(struct failure_record), sizeof(struct trace_record) */
export const PROGRAM_HEADER_SIZE = 40;
export const OP_SIZE = 72;
export const FAILURE_RECORD_SIZE = 8;
export const TRACE_RECORD_SIZE = 32;
