/*
 * start.c - where a freestanding program begins: the kernel puts argc, argv, NULL, envp, NULL on the stack and jumps to _start.
 * Not linked into sanitizer builds, whose C library has a _start of its own and calls main().
 */
#include "start.h"
#include "sys.h"

__attribute__((noreturn, used)) void start_c(long *stack);

void start_c(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);

	SYS1(__NR_exit_group, program_main(argc, argv, argv + argc + 1));
	__builtin_unreachable();
}

#if defined(__x86_64__)
__asm__(".pushsection .text\n"
	".globl _start\n"
	".type _start, @function\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call start_c\n"
	"	hlt\n"
	".size _start, . - _start\n"
	".popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection .text\n"
	".globl _start\n"
	".type _start, %function\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	mov x30, #0\n"
	"	mov x0, sp\n"
	"	bl start_c\n"
	"	brk #0\n"
	".size _start, . - _start\n"
	".popsection\n");
#endif
