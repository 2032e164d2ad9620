/*
 * hold.c - keeps the namespaces that it was started in, until it is killed or the writer of its standard input, a pipe, is gone.
 *
 * It is executed before its ids are mapped (src/rootless/namespaces-ahead.ts), so it may do nothing that asks for privileges.
 */
#include "start.h"
#include "sys.h"

int program_main(int argc, char **argv, char **envp)
{
	char byte;
	long n;

	(void)argc, (void)argv, (void)envp;
	do
		n = SYS3(__NR_read, 0, &byte, 1);
	while (n > 0 || n == -EINTR);
	return 0;
}
