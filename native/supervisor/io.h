/* io.h - the few file operations that the supervisor needs, repeated when a signal interrupts them. */
#ifndef TSRUN_SUPERVISOR_IO_H
#define TSRUN_SUPERVISOR_IO_H

#include "../sys.h"

#include <asm/fcntl.h>
#include <linux/fcntl.h>
#include <linux/uio.h>

#define PAGE 4096

static inline long io_read(int fd, void *buf, size_t n)
{
	long ret;

	do
		ret = SYS3(__NR_read, fd, buf, n);
	while (ret == -EINTR);
	return ret;
}

static inline long io_write(int fd, const void *buf, size_t n)
{
	long ret;

	do
		ret = SYS3(__NR_write, fd, buf, n);
	while (ret == -EINTR);
	return ret;
}

static inline long io_writev(int fd, const struct iovec *parts, unsigned count)
{
	long ret;

	do
		ret = SYS3(__NR_writev, fd, parts, count);
	while (ret == -EINTR);
	return ret;
}

/* Writes all of it to a blocking fd: the bytes written, which are less than N only after an error; then *error is set. */
static inline size_t io_write_all(int fd, const void *buf, size_t n, int *error)
{
	size_t done = 0;

	*error = 0;
	while (done < n) {
		long ret = io_write(fd, (const char *)buf + done, n - done);

		if (ret <= 0) {
			*error = ret ? (int)-ret : EIO;
			break;
		}
		done += (size_t)ret;
	}
	return done;
}

static inline void io_close(int *fd)
{
	if (*fd >= 0)
		SYS1(__NR_close, *fd);
	*fd = -1;
}

static inline void io_nonblocking(int fd)
{
	long flags = SYS3(__NR_fcntl, fd, F_GETFL, 0);

	if (flags >= 0)
		SYS3(__NR_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
}

/* Reads exactly SIZE bytes of FD at OFFSET: 0 or -errno, -EINVAL when it is shorter. */
static inline int io_read_at(int fd, void *to, uint64_t offset, uint32_t size)
{
	for (uint32_t done = 0; done < size;) {
		long n = SYS4(__NR_pread64, fd, (char *)to + done, size - done, offset + done);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -EINVAL;
		done += (uint32_t)n;
	}
	return 0;
}

#endif
