/* begin.c - see begin.h */
#include "begin.h"

#include "../supervisor/io.h"
#include "../supervisor/text.h"

#include <asm/signal.h>
#include <linux/resource.h>

int begin_number(const char *digits)
{
	int n = 0;

	for (; *digits >= '0' && *digits <= '9' && n < 100000; digits++)
		n = 10 * n + (*digits - '0');
	return n;
}

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

/* What rt_sigaction(2) takes. */
struct action {
	uint64_t handler, flags, restorer, mask;
};

void begin_ignore_sigpipe(void)
{
	struct action ignore = {.handler = 1};

	SYS4(__NR_rt_sigaction, SIGPIPE, &ignore, 0, 8);
}

uint32_t begin_descriptors(uint32_t reserved)
{
	struct rlimit64 limit = {1024, 1024};

	SYS4(__NR_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
	if (limit.rlim_cur > 1 << 20)
		limit.rlim_cur = 1 << 20;
	return (uint32_t)(limit.rlim_cur - (reserved < limit.rlim_cur / 2 ? reserved : limit.rlim_cur / 2));
}
