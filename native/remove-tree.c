/*
 * remove-tree.c - `rm -rf` without recursion.
 *
 * A hostile image may nest directories deeper than any stack or fd limit. So nothing recurses: a directory that is found
 * inside a subdirectory is renamed up into the top directory, and its turn comes there. Two directories are open at a time, every
 * entry is unlinked once and every directory moved at most once.
 *
 * Directories may have any mode (an overlay's work directory has 000, a read-only one 0555): where the kernel says EACCES the
 * mode of the directory that is in the way is set to 0700 and the call made again, which helps where the caller owns it and has
 * no CAP_DAC_OVERRIDE.
 *
 * Several may remove the same tree at once (a command that sweeps up after the killed meets one that is still at it): what is gone
 * already is no failure.
 */
#include "remove-tree.h"
#include "sys.h"

#include <linux/fcntl.h>

struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

#define DT_DIR 4

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int is_dot(const char *name)
{
	return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

static long open_dir(int at, const char *name)
{
	long fd = SYS4(__NR_openat, at, name, OPEN_DIR, 0);

	if (fd == -EACCES && SYS3(__NR_fchmodat, at, name, 0700) == 0)
		fd = SYS4(__NR_openat, at, name, OPEN_DIR, 0);
	return fd;
}

/* Unlinks NAME, or removes it if it is an empty directory. -ENOTEMPTY: a directory with something in it. */
static long unlink_any(int at, const char *name)
{
	long ret = SYS3(__NR_unlinkat, at, name, 0);

	if (ret == -EISDIR || ret == -EPERM)
		ret = SYS3(__NR_unlinkat, at, name, AT_REMOVEDIR);
	return ret == -EEXIST ? -ENOTEMPTY : ret == -ENOENT ? 0 : ret;
}

/*
 * Renames the directory NAME of SUB up into TOP, under a name that is free there. Without RENAME_NOREPLACE, which NFS and many a FUSE file
 * system refuse with EINVAL: what a directory may replace is an empty one, and that is to go as well.
 */
static long move_up(int sub, const char *name, int top, uint64_t *counter)
{
	char target[32] = ".rm-";
	long ret;

	do {
		target[4 + decimal(target + 4, (*counter)++)] = 0;
		ret = SYS5(__NR_renameat2, sub, name, top, target, 0);
		if (ret == -EACCES && SYS2(__NR_fchmod, sub, 0700) == 0 && SYS3(__NR_fchmodat, sub, name, 0700) == 0)
			ret = SYS5(__NR_renameat2, sub, name, top, target, 0);
	} while (ret == -EEXIST || ret == -ENOTEMPTY || ret == -ENOTDIR);
	return ret == -ENOENT ? 0 : ret;
}

/*
 * One pass over the entries of DIR. Removes what can be removed at once; each non-empty directory is handed to move_up()
 * (DIR is a subdirectory) or emptied by a pass of its own (DIR is TOP). Returns how many entries were met, or -errno.
 */
static long sweep(int dir, int top, uint64_t *counter)
{
	char buffer[4096] __attribute__((aligned(8)));
	long met = 0, len, at, ret;

	while ((len = SYS3(__NR_getdents64, dir, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < len; at += ((struct dirent64 *)(buffer + at))->reclen) {
			const char *name = ((struct dirent64 *)(buffer + at))->name;

			if (is_dot(name))
				continue;
			met++;
			ret = unlink_any(dir, name);
			if (ret == -EACCES && SYS2(__NR_fchmod, dir, 0700) == 0)
				ret = unlink_any(dir, name);
			if (ret == -ENOTEMPTY && dir != top)
				ret = move_up(dir, name, top, counter);
			else if (ret == -ENOTEMPTY) {
				long sub = open_dir(dir, name);

				if (sub == -ENOENT)
					continue;
				if (sub < 0)
					return sub;
				ret = sweep((int)sub, top, counter);
				SYS1(__NR_close, sub);
				if (ret >= 0)
					ret = unlink_any(dir, name);
				if (ret == -ENOTEMPTY) /* somebody adds while we remove: the next pass sees it */
					ret = 0;
			}
			if (ret < 0)
				return ret;
		}
	}
	return len < 0 && len != -ENOENT ? len : met; /* -ENOENT: DIR itself is gone */
}

long remove_tree(int dirfd, const char *name)
{
	uint64_t counter = 0;
	long top, ret = unlink_any(dirfd, name);

	if (ret != -ENOTEMPTY && ret != -EACCES)
		return ret;
	top = open_dir(dirfd, name);
	if (top < 0)
		return top == -ENOENT ? 0 : top;
	do {
		SYS3(__NR_lseek, top, 0, 0);
		ret = sweep((int)top, (int)top, &counter);
		if (ret == 0)
			ret = unlink_any(dirfd, name);
	} while (ret > 0 || ret == -ENOTEMPTY);
	SYS1(__NR_close, top);
	return ret;
}

/* The name of a directory in DIR, left in BUFFER: 1; 0 if there is none. */
static long some_directory(int dir, char *buffer, size_t size, const char **name)
{
	long len, at;

	SYS3(__NR_lseek, dir, 0, 0);
	while ((len = SYS3(__NR_getdents64, dir, buffer, size)) > 0) {
		for (at = 0; at < len; at += ((struct dirent64 *)(buffer + at))->reclen) {
			const struct dirent64 *entry = (struct dirent64 *)(buffer + at);

			if (entry->type != DT_DIR || is_dot(entry->name))
				continue;
			*name = entry->name;
			return 1;
		}
	}
	return len == -ENOENT ? 0 : len;
}

/*
 * A file system of the kernel's own neither renames a directory nor loses a file, but rmdir takes a directory with its files. So the walk
 * goes down to a directory without directories, up again, and removes what it has come from. One directory is open at a time, two while
 * it goes from one to the next.
 */
long remove_directories(int dirfd, const char *name)
{
	char buffer[2048] __attribute__((aligned(8)));
	long dir, next, ret = SYS3(__NR_unlinkat, dirfd, name, AT_REMOVEDIR);
	unsigned depth = 0;
	int is_empty = 0; /* what is found next has no directory in it: we come from there */

	if (ret != -EBUSY && ret != -ENOTEMPTY)
		return ret == -ENOENT ? 0 : ret;
	dir = SYS4(__NR_openat, dirfd, name, OPEN_DIR, 0);
	while (dir >= 0) {
		const char *below = "..";

		ret = some_directory((int)dir, buffer, sizeof(buffer), &below);
		if (ret < 0 || (ret == 0 && depth == 0))
			break;
		if (ret > 0) {
			ret = SYS3(__NR_unlinkat, dir, below, AT_REMOVEDIR);
			if (ret == 0 || ret == -ENOENT) {
				is_empty = 0;
				continue;
			}
			if (is_empty || (ret != -EBUSY && ret != -ENOTEMPTY))
				break;
		}
		is_empty = below[0] == '.' && below[1] == '.' && !below[2];
		depth += is_empty ? -1u : 1u;
		next = SYS4(__NR_openat, dir, below, OPEN_DIR, 0);
		SYS1(__NR_close, dir);
		dir = next;
	}
	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	SYS1(__NR_close, dir);
	if (ret < 0)
		return ret;
	ret = SYS3(__NR_unlinkat, dirfd, name, AT_REMOVEDIR);
	return ret == -ENOENT ? 0 : ret;
}
