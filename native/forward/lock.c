/*
 * lock.c - see lock.h
 *
 * The forwarder never looks at what it passes on, but it is reached by everybody who reaches the host. It has an empty root directory already
 * (src/network/forward/forwarded.ts), no file open but its sockets and pipes, and cannot become another program: whoever took it over could
 * make connections, in its own network namespace alone.
 */
#include "lock.h"
#include "net.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#ifndef __SANITIZE_ADDRESS__ /* the sanitizer makes calls of its own */
#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static const uint16_t calls[] = {
	/* most frequent first */
	__NR_splice, __NR_epoll_pwait, __NR_recvfrom, __NR_sendto, __NR_clock_gettime, __NR_setsockopt, __NR_epoll_ctl, __NR_close, __NR_accept4,
	__NR_connect, __NR_socket, __NR_bind, __NR_shutdown, __NR_recvmmsg, __NR_sendmmsg, __NR_getsockopt, __NR_getpeername, __NR_getsockname, __NR_pipe2,
	__NR_fcntl, __NR_read, __NR_write, __NR_madvise, __NR_exit_group,
};

#define COUNT (sizeof(calls) / sizeof(*calls))

static int keep_calls(void)
{
	struct sock_filter filter[COUNT + 6];
	struct {
		uint16_t len;
		struct sock_filter *filter;
	} program = {.filter = filter};
	unsigned n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < COUNT; i++)
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], (uint8_t)(COUNT - i), 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (uint16_t)n;
	return (int)SYS3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
#else
static int keep_calls(void)
{
	return 0;
}
#endif

int lock_in(uint32_t kept)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{kept, kept, 0}, {0, 0, 0}};
	long ret = SYS5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

	if (!ret)
		ret = SYS2(__NR_capset, &header, data);
	if (!ret)
		ret = keep_calls();
	return (int)ret;
}
