/*
 * sys.h - what a freestanding program has instead of a C library: the system call instruction for x86-64 and arm64, and the
 * few memory functions that compilers call behind one's back. Everything is static inline; results are -errno, as from the kernel.
 */
#ifndef TSRUN_SYS_H
#define TSRUN_SYS_H

#include <stddef.h>
#include <stdint.h>

#include <asm/unistd.h>
#include <linux/errno.h>

#if defined(__x86_64__)

static inline long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__aarch64__)

static inline long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

#else
#error "tsrun knows the system call conventions of x86-64 and arm64"
#endif

#define SYS6(nr, a, b, c, d, e, f) syscall6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define SYS5(nr, a, b, c, d, e) SYS6(nr, a, b, c, d, e, 0)
#define SYS4(nr, a, b, c, d) SYS6(nr, a, b, c, d, 0, 0)
#define SYS3(nr, a, b, c) SYS6(nr, a, b, c, 0, 0, 0)
#define SYS2(nr, a, b) SYS6(nr, a, b, 0, 0, 0, 0)
#define SYS1(nr, a) SYS6(nr, a, 0, 0, 0, 0, 0)
#define SYS0(nr) SYS6(nr, 0, 0, 0, 0, 0, 0)

/*
 * openat2(2) fails with EAGAIN when something was renamed or mounted, anywhere on the machine, while it followed a `..`: the kernel could not
 * prove that the path stayed inside. It is to be tried again, but not for ever by somebody whom an attacker keeps busy.
 */
#define OPENAT2_TRIES 128

/* GCC and clang emit calls to these even with -ffreestanding. Weak, so that a file linked with a C library (tests) keeps its own. */
void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
void *memmove(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/* Writes N in decimal to BUF (20 bytes are enough) without a NUL; returns the number of digits. */
static inline unsigned decimal(char *buf, uint64_t n)
{
	char tmp[20];
	unsigned len = 0, i;

	do
		tmp[len++] = (char)('0' + n % 10);
	while (n /= 10);
	for (i = 0; i < len; i++)
		buf[i] = tmp[len - 1 - i];
	return len;
}

#endif
