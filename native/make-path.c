/*
 * make-path.c - `mkdir -p` in a root that somebody else has filled.
 *
 * The kernel resolves every path inside ROOT (openat2 with RESOLVE_IN_ROOT), so whatever stands here, nothing leads outside. But the
 * kernel makes no parents, and to it a link to what is not there yet (/etc/resolv.conf -> ../run/systemd/resolve/resolv.conf, with
 * an empty /run) is an error. So where PATH is missing it is walked: `done` is the part that exists and has no links in it, `left` is
 * what is still to be found. A link puts its target in front of `left`; what is missing is made.
 */
#include "make-path.h"
#include "sys.h"

#include <linux/fcntl.h>
#include <linux/openat2.h>

#define LINKS_MAX 40 /* as the kernel: path_resolution(7) */
#define PATH_SIZE 4096
#define NOT_A_LINK 0

struct walk {
	int root;
	unsigned links;
	size_t length; /* of done */
	char done[PATH_SIZE];
	char left[PATH_SIZE];
};

static long open_in_root(int root, const char *path, uint64_t flags, uint64_t mode)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	unsigned tries = 0;
	long ret;

	do
		ret = SYS4(__NR_openat2, root, *path ? path : ".", &how, sizeof(how));
	while (ret == -EAGAIN && ++tries < OPENAT2_TRIES);
	return ret;
}

/* Closes the descriptor that FD may be; what is told is whether there was one. */
static long only_close(long fd)
{
	if (fd < 0)
		return fd;
	SYS1(__NR_close, fd);
	return 0;
}

/* Takes the last component off done; at the root there is none. */
static void step_back(struct walk *w)
{
	while (w->length && w->done[--w->length] != '/')
		;
	w->done[w->length] = 0;
}

/* Appends NAME of N bytes to done. */
static long step_into(struct walk *w, const char *name, size_t n)
{
	if (w->length + 1 + n + 1 > PATH_SIZE)
		return -ENAMETOOLONG;
	if (w->length)
		w->done[w->length++] = '/';
	memcpy(w->done + w->length, name, n);
	w->length += n;
	w->done[w->length] = 0;
	return 0;
}

/* Makes what done names, in the directory that it is in. */
static long make_last(const struct walk *w, uint32_t mode, int is_file)
{
	char parent[PATH_SIZE];
	size_t at = w->length;
	long fd, ret;

	if (is_file)
		return only_close(open_in_root(w->root, w->done, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0644));
	while (at && w->done[at - 1] != '/')
		at--;
	memcpy(parent, w->done, at);
	parent[at] = 0;
	fd = open_in_root(w->root, parent, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	ret = SYS3(__NR_mkdirat, fd, w->done + at, mode);
	SYS1(__NR_close, fd);
	return ret;
}

/* The link FD, which done names, is replaced by its target: NOT_A_LINK, 1, or -errno. */
static long follow(struct walk *w, long fd)
{
	char target[PATH_SIZE];
	size_t left = strlen(w->left);
	long n = SYS4(__NR_readlinkat, fd, "", target, sizeof(target));

	if (n < 0)
		return NOT_A_LINK;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + left + 1 > PATH_SIZE)
		return -ENAMETOOLONG;
	memmove(w->left + n, w->left, left + 1); /* left is empty, or begins with a slash */
	memcpy(w->left, target, (size_t)n);
	if (n && target[0] == '/')
		w->length = w->done[0] = 0;
	else
		step_back(w);
	return 1;
}

/* The next component of left goes to done: its length is returned, 0 when there is none. `.` and `..` are dealt with. */
static long next_component(struct walk *w)
{
	size_t start = 0, n = 0;
	long ret;

	while (w->left[start] == '/')
		start++;
	while (w->left[start + n] && w->left[start + n] != '/')
		n++;
	if (n == 2 && w->left[start] == '.' && w->left[start + 1] == '.')
		step_back(w);
	else if (n && !(n == 1 && w->left[start] == '.')) {
		ret = step_into(w, w->left + start, n);
		if (ret < 0)
			return ret;
	}
	memmove(w->left, w->left + start + n, strlen(w->left + start + n) + 1);
	return (long)n;
}

static long walk(struct walk *w, uint32_t mode, int is_file)
{
	long ret, fd;

	while ((ret = next_component(w)) > 0) {
		fd = open_in_root(w->root, w->done, O_PATH | O_NOFOLLOW, 0);
		if (fd == -ENOENT) {
			ret = make_last(w, mode, is_file && !w->left[0]);
			if (ret < 0 && ret != -EEXIST)
				return ret;
			continue;
		}
		if (fd < 0)
			return fd;
		ret = follow(w, fd);
		SYS1(__NR_close, fd);
		if (ret < 0)
			return ret;
	}
	return ret;
}

long make_path(int root, const char *path, uint32_t mode, int is_file)
{
	struct walk w;
	size_t n = strlen(path);
	long ret = only_close(open_in_root(root, path, O_PATH | (is_file ? 0 : O_DIRECTORY), 0));

	if (ret != -ENOENT)
		return ret;
	if (n + 1 > PATH_SIZE)
		return -ENAMETOOLONG;
	w.root = root;
	w.links = 0;
	w.length = w.done[0] = 0;
	memcpy(w.left, path, n + 1);
	return walk(&w, mode, is_file);
}
