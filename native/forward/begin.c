/* begin.c - see begin.h */
#include "begin.h"

#include "../supervisor/io.h"
#include "../supervisor/text.h"

#include <linux/resource.h>

int begin_failed(const char *who, const char *what, int error)
{
	char words[160];
	struct text t = {words, sizeof(words), 0, 0};

	text_string(&t, who);
	text_string(&t, ": ");
	text_string(&t, what);
	text_string(&t, ": errno ");
	text_number(&t, (uint64_t)-error);
	text_string(&t, "\n");
	io_write(2, words, t.len);
	return 1;
}

uint32_t begin_descriptors(uint32_t reserved)
{
	struct rlimit64 limit = {1024, 1024};

	SYS4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
	if (limit.rlim_cur > 1 << 20)
		limit.rlim_cur = 1 << 20;
	return (uint32_t)(limit.rlim_cur - (reserved < limit.rlim_cur / 2 ? reserved : limit.rlim_cur / 2));
}
