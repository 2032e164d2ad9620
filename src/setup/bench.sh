#!/bin/sh
# bench.sh [OPTION...] - `npm run bench`: sets everything up as `npm test` does (test.sh), and measures (test/bench).
#
# As root, it is done by the ordinary user `tsrun`, in a copy of this tree in that user's home; and two peers are measured in
# surroundings that only root can make for them (test/bench/room.sh). Without root they are left out, which is said.
set -eu
setup=$(cd "$(dirname "$0")" && pwd)
. "$setup/common.sh"
. "$setup/packages.sh"
. "$setup/devices.sh"
. "$setup/subids.sh"
. "$setup/account.sh"
. "$setup/npm-for-account.sh"
. "$setup/install.sh"

if [ -z "${TSRUN_HOST_READY-}" ]; then
	# shellcheck disable=SC2086 # names of packages
	ensure_packages $TEST_PACKAGES iperf3 docker.io rootlesskit iptables
	ensure_devices
fi

if ! is_root; then
	[ -n "${TSRUN_HOST_READY-}" ] || ensure_subids "$(id -un)"
	install_dependencies
	build_tree
	exec sh "$setup/node24.sh" "$root/test/bench/main.ts" "$@"
fi

ensure_account tsrun
home=$(home_of tsrun)
tree=$home/tsrun-bench
# The lock of test.sh: tests would be in the way of what is measured.
exec 9>"$home/.tsrun-test.lock"
flock -n 9 || { say 'waiting for tests to end' && flock 9; }
copy_tree tsrun "$tree"
chmod a+x "$home"
say "going on as tsrun in $tree"
# Set up once before the rooms are, whose servers need the tree's Node.
run_as tsrun "$tree" sh -ec 'setup=src/setup; . src/setup/common.sh; . src/setup/install.sh; install_dependencies' 9>&-

rooms=$home/.tsrun-bench-rooms
rm -rf "$rooms"
install -d -m 700 -o tsrun -g "$(id -g tsrun)" "$rooms"
pids=
# shellcheck disable=SC2086 # process ids
trap '[ -z "$pids" ] || kill $pids 2>/dev/null || :; rm -rf "$rooms"' EXIT
trap 'exit 1' INT TERM

# room NAME - starts its server; it is there when its socket is
room() {
	sh "$tree/test/bench/room.sh" "$1" tsrun "$tree" "$rooms/$1" "$rooms/$1.scratch" </dev/null 9>&- &
	pids="$pids $!"
	patience=600
	until [ -S "$rooms/$1" ]; do
		if ! kill -0 $! 2>/dev/null || [ "$patience" -eq 0 ]; then
			say "the room $1 could not be set up"
			return 0
		fi
		patience=$((patience - 1))
		sleep 0.1
	done
}

room cgroup2
PODMAN5=${PODMAN5:-$root/../shared/peers/podman5.sh}
export PODMAN5
if [ -e "$PODMAN5" ]; then room podman5; else say "podman 5 is not measured: there is no $PODMAN5"; fi

run_as tsrun "$tree" TSRUN_BENCH_ROOMS="$rooms" sh src/setup/bench.sh "$@" 9>&-
