/*
 * fault.h - makes every native part one that dies at the n-th system call (AC-4.1). Given to the compiler with -include, and
 * -DFAULT_FILE="\"/path\"": syscall6() then counts in that file, which all processes of a test share, forks and new images among
 * them. The test writes `deadly`, and finds in `nr` and `pid` who died at what. Nothing of this is in a build that ships.
 *
 * Calls that change nothing outside their own process are not counted: a loop's waiting would only make the numbers random.
 */
#ifndef TSRUN_TEST_FAULT_H
#define TSRUN_TEST_FAULT_H

#include "../../native/sys.h"

#include <asm/fcntl.h>
#include <linux/mman.h>
#include <asm/mman.h>
#include <asm/signal.h>

#define FAULT_AT_FDCWD -100

struct fault {
	uint64_t count;	 /* calls so far */
	uint64_t deadly; /* whoever makes this one dies before it; 0 = nobody */
	uint64_t nr;	 /* the call that was deadly, plus one */
	uint64_t pid;
	uint64_t spared; /* pid of a process whose calls are none of the command's; 0 = there is none */
};

/* One for all files of a program; mapped at its first call, inherited by what it forks, mapped anew by what is executed. */
__attribute__((weak)) struct fault *fault_page;

static inline int fault_is_counted(long nr)
{
	switch (nr) {
	case __NR_read:
	case __NR_pread64:
	case __NR_close:
	case __NR_lseek:
	case __NR_fstat:
	case __NR_statx:
	case __NR_newfstatat:
	case __NR_readlinkat:
	case __NR_getdents64:
	case __NR_getpid:
	case __NR_gettid:
	case __NR_clock_gettime:
	case __NR_ppoll:
	case __NR_epoll_pwait:
	case __NR_recvfrom:
	case __NR_recvmsg:
	case __NR_rt_sigaction:
	case __NR_rt_sigprocmask:
	case __NR_madvise:
	case __NR_exit_group:
		return 0;
	default:
		return 1;
	}
}

static inline struct fault *fault_open(void)
{
	long fd, at;

	if (fault_page)
		return fault_page;
	fd = syscall6(__NR_openat, FAULT_AT_FDCWD, (long)FAULT_FILE, O_RDWR | O_CLOEXEC, 0, 0, 0);
	at = fd < 0 ? fd : syscall6(__NR_mmap, 0, sizeof(struct fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		syscall6(__NR_close, fd, 0, 0, 0, 0, 0);
	fault_page = at < 0 && at > -4096 ? (struct fault *)1 : (struct fault *)at; /* 1: in a root without the file */
	return fault_page;
}

static inline void fault_point(long nr)
{
	struct fault *fault;

	if (!fault_is_counted(nr))
		return;
	fault = fault_open();
	if (fault == (struct fault *)1 || (fault->spared && (uint64_t)syscall6(__NR_getpid, 0, 0, 0, 0, 0, 0) == fault->spared) ||
	    __atomic_add_fetch(&fault->count, 1, __ATOMIC_SEQ_CST) != fault->deadly)
		return;
	fault->nr = (uint64_t)nr + 1;
	fault->pid = (uint64_t)syscall6(__NR_getpid, 0, 0, 0, 0, 0, 0);
	syscall6(__NR_kill, (long)fault->pid, SIGKILL, 0, 0, 0, 0);
	__builtin_trap(); /* process 1 of a namespace takes no signal from inside, but this one */
}

static inline long fault_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	fault_point(nr);
	return syscall6(nr, a, b, c, d, e, f);
}

#define syscall6 fault_syscall6

#endif
