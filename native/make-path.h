#ifndef TSRUN_MAKE_PATH_H
#define TSRUN_MAKE_PATH_H

#include <stdint.h>

/*
 * Makes sure that PATH, resolved inside the directory ROOT as if that were the root, is there: a directory, or something else if IS_FILE.
 * Missing directories are made with MODE on the way, also where symbolic links lead to what is not there yet. Returns 0 or -errno.
 */
long make_path(int root, const char *path, uint32_t mode, int is_file);

#endif
