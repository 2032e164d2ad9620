#ifndef TSRUN_REMOVE_TREE_H
#define TSRUN_REMOVE_TREE_H

/*
 * Removes NAME in directory DIRFD (or AT_FDCWD) and everything below it. Symbolic links are removed, never followed. A NAME
 * that does not exist is no error. Returns 0 or -errno; after a failure what could be removed is gone, and it may be called again.
 */
long remove_tree(int dirfd, const char *name);

/*
 * The same for a directory of cgroups (cgroups(7)): the directories in it are removed, the deepest first; their files go with them. The
 * first that cannot be removed, because a process is in it, ends it: -EBUSY.
 */
long remove_directories(int dirfd, const char *name);

#endif
