/*
 * hub.c - what a user's bridge networks have in common: their network namespace, its one uplink to the outside, and its DNS server.
 *
 *      host's network namespace                    the hub's                        the containers'
 *     +-------------------------------+     +------------------------+        +---------------+
 *     | hub (this process)            |     | uplink (tap)           |  veth  | eth0          |
 *     |   holds the namespace by a fd |-----|   |                    | +------+---------------+
 *     |   DNS: asks the host's server |     | bridge, 10.x.y.1 ------+-+
 *     | slirp4netns, tsrun-outward ---+-----| sockets on port 53     | +------+---------------+
 *     +-------------------------------+     +------------------------+        | eth0          |
 *
 * It is no daemon: it lives as long as it has members (members.h), which are the containers' supervisors. Whatever is killed, nothing stays:
 * the namespace goes with the last descriptor of it, the uplink dies with this process (PR_SET_PDEATHSIG), and this process with its
 * last member, whose end the kernel tells it of. If this process is killed, the containers of its networks still
 * reach each other by address, as their supervisors hold the namespace too; names and the way out are gone for them until another hub is
 * started, which the next start does: it is given that namespace, and made to know them (src/engine/adopt-containers.ts).
 *
 * The uplink is two processes: slirp4netns, and for connections this binary executed once more (forward/outward.c).
 *
 * The order of life: the first program makes the namespace and the sockets; whoever started us is told; the second program starts the
 * uplink, while the first container is being made; then members, queries and the end of the uplink are what there is to wait for.
 */
#include "forward/outward.h"
#include "hub/loop.h"
#include "hub/members.h"
#include "hub/protocol.h"
#include "hub/tcp.h"
#include "hub/udp.h"
#include "program.h"
#include "start.h"
#include "supervisor/clock.h"
#include "supervisor/io.h"
#include "supervisor/signals.h"

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/mman.h>
#include <linux/wait.h>

#define UPLINK_PAUSE 1000 /* ms before an uplink that died is started again */

static struct hub_spec spec;
static int report_fd = HUB_FD_REPORT;
static int uplink[HUB_UPLINK_DESCRIPTORS]; /* what its program has left open, as HUB_SLOT_UPLINK says */
static int64_t uplink_at = -1; /* when it is to be started again; -1 = it is there, or there is none */

/* Tells whoever started us; nobody may be there any more. */
static void report(uint32_t op, int error)
{
	struct failure_record record = {op, error};

	io_write(report_fd, &record, sizeof(record));
}

/*
 * Runs a fresh copy of the program at OFFSET; DESCRIPTORS[] becomes what it leaves in its first COUNT slots, whether it succeeds or fails.
 * 0 or -errno, which is reported.
 */
static int run(uint32_t offset, uint32_t size, int *descriptors, uint32_t count)
{
	long at = SYS6(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct program *p = (struct program *)at;
	int64_t ret;

	if (at < 0 && at > -4096)
		return (int)at;
	ret = io_read_at(HUB_FD_SPEC, p, offset, size);
	if (!ret) {
		ret = program_run(p, size);
		for (uint32_t i = 0; i < count && i < p->slot_count; i++)
			descriptors[i] = (int)program_slots(p)[i];
	}
	if (ret)
		report(p->failed_errno ? p->failed_op : UINT32_MAX, (int)-ret);
	SYS2(__NR_munmap, p, size);
	return (int)ret;
}

static void reap(void)
{
	siginfo_t info;

	do
		memset(&info, 0, sizeof(info));
	while (SYS5(__NR_waitid, P_ALL, 0, &info, WEXITED | WNOHANG, 0) == 0 && info.si_pid);
}

/* Ends what is left of it: slirp4netns, and with the last descriptor tsrun-outward. */
static void end_uplink(void)
{
	if (uplink[HUB_SLOT_UPLINK] > 2)
		SYS4(__NR_pidfd_send_signal, uplink[HUB_SLOT_UPLINK], SIGKILL, 0, 0);
	for (uint32_t i = 0; i < HUB_UPLINK_DESCRIPTORS; i++) {
		if (uplink[i] > 2)
			io_close(&uplink[i]);
		uplink[i] = -1;
	}
	uplink_at = clock_monotonic() + UPLINK_PAUSE;
}

static void start_uplink(void)
{
	int error;

	uplink_at = -1;
	reap();
	error = run(spec.uplink_offset, spec.uplink_size, uplink, HUB_UPLINK_DESCRIPTORS);
	members_uplink(error);
	if (error)
		end_uplink();
	else
		loop_watch(uplink[HUB_SLOT_UPLINK], EPOLLIN, WATCH_UPLINK, 0);
}

static int open_all(void)
{
	if (io_read_at(HUB_FD_SPEC, &spec, 0, sizeof(spec)) || spec.magic != HUB_MAGIC)
		return -EINVAL;
	if (run(spec.network_offset, spec.network_size, 0, 0))
		return -EINVAL;
	return loop_open() || members_open() || udp_open() || tcp_open() ? -EINVAL : 0;
}

static void act(enum watch kind, uint32_t number)
{
	switch (kind) {
	case WATCH_LISTENER:
		members_accept();
		break;
	case WATCH_MEMBER:
		members_ready(number);
		break;
	case WATCH_UPLINK:
		end_uplink();
		break;
	case WATCH_UDP:
		udp_ready();
		break;
	case WATCH_TCP:
		tcp_accept();
		break;
	case WATCH_QUERY:
		udp_answered(number);
		break;
	case WATCH_CLIENT:
		tcp_client(number);
		break;
	case WATCH_SERVER:
		tcp_server(number);
		break;
	}
}

int program_main(int argc, char **argv, char **envp)
{
	(void)envp;
	if (argc > 0 && !memcmp(argv[0], OUTWARD_NAME, sizeof(OUTWARD_NAME)))
		return outward_main(argc, argv);
	for (int fd = HUB_FD_SPEC; fd <= HUB_FD_LOG; fd++)
		SYS3(__NR_fcntl, fd, F_SETFD, FD_CLOEXEC);
	signals_protect();
	if (open_all())
		return 1;
	members_accept();
	members_ready(1); /* whoever started us has said hello already, and does not wait for the uplink */
	report(0, 0);
	if (spec.uplink_offset)
		start_uplink();
	else
		members_uplink(0);
	io_close(&report_fd);
	while (!members_none()) {
		enum watch kind;
		uint32_t number;

		if (uplink_at >= 0 && clock_monotonic() >= uplink_at)
			start_uplink();
		if (loop_next(&kind, &number, clock_earlier(uplink_at, clock_earlier(udp_tick(), tcp_tick()))))
			act(kind, number);
	}
	return 0;
}
