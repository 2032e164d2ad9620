/*
 * libseccomp-oracle - compiles a seccomp profile with libseccomp, for comparison with ours.
 *
 * stdin:  "<default action> <0 x86-64 | 1 arm64>\n", then per rule
 *         "<action> <name> <conditions> {<index> <operator 1-7> <a> <b>}\n"; actions are SECCOMP_RET_* numbers
 * stdout: the filter as an array of struct sock_filter
 */
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	uint32_t action;
	int arch, count, op, rc, nr;
	unsigned index;
	uint64_t a, b;
	char name[64];

	if (scanf("%" SCNu32 " %d", &action, &arch) != 2)
		return 2;
	scmp_filter_ctx ctx = seccomp_init(action);
	if (!ctx)
		return 3;
	if (arch == 1 && (seccomp_arch_add(ctx, SCMP_ARCH_AARCH64) || seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE)))
		return 4;
	while (scanf("%" SCNu32 " %63s %d", &action, name, &count) == 3) {
		struct scmp_arg_cmp args[6];

		memset(args, 0, sizeof(args));
		for (int i = 0; i < count && i < 6; i++) {
			if (scanf("%u %d %" SCNu64 " %" SCNu64, &index, &op, &a, &b) != 4)
				return 5;
			args[i] = (struct scmp_arg_cmp){ index, (enum scmp_compare)op, a, b };
		}
		nr = seccomp_syscall_resolve_name(name);
		if (nr == __NR_SCMP_ERROR)
			continue;
		rc = seccomp_rule_add_array(ctx, action, nr, count, args);
		if (rc && rc != -17 /* EEXIST: the very same rule again */) {
			fprintf(stderr, "%s: %d\n", name, rc);
			return 6;
		}
	}
	return seccomp_export_bpf(ctx, STDOUT_FILENO) ? 7 : 0;
}
