# shellcheck shell=sh
# cgroups.sh - sourced, for root: a cgroup that an ordinary account may make its containers' in, as a login of systemd has it.
# Needs account.sh.

LIMITING='memory cpu pids'

# cgroup_trees - where limits are set: the v2 tree, or those v1 hierarchies
cgroup_trees() {
	if [ -e /sys/fs/cgroup/cgroup.subtree_control ]; then
		echo /sys/fs/cgroup
		return
	fi
	for controller in $LIMITING; do
		[ ! -d "/sys/fs/cgroup/$controller" ] || echo "/sys/fs/cgroup/$controller"
	done
}

# delegate_cgroups ACCOUNT - makes them, and moves this shell into them; fails where this machine lets nobody make any
delegate_cgroups() {
	trees=$(cgroup_trees)
	[ -n "$trees" ] || return 1
	for tree in $trees; do
		# With v2 controllers go to a cgroup above first, and the processes to one below it.
		mkdir -p "$tree/tsrun-test-$1" 2>/dev/null || return 1
		leaf="$tree/tsrun-test-$1"
		if [ -e "$tree/cgroup.subtree_control" ]; then
			for controller in $LIMITING; do
				echo "+$controller" 2>/dev/null >"$tree/cgroup.subtree_control" || return 1
				echo "+$controller" 2>/dev/null >"$tree/tsrun-test-$1/cgroup.subtree_control" || return 1
			done
			leaf="$tree/tsrun-test-$1/login"
			mkdir -p "$leaf"
		fi
		chown -R "$1" "$tree/tsrun-test-$1" && echo $$ 2>/dev/null >"$leaf/cgroup.procs" || return 1
	done
}

# leave_cgroups - this shell goes back to the root of each tree
leave_cgroups() {
	for tree in $(cgroup_trees); do echo $$ >"$tree/cgroup.procs" || :; done
}

# remove_cgroups ACCOUNT - once nothing is in them
remove_cgroups() {
	for tree in $(cgroup_trees); do
		[ ! -d "$tree/tsrun-test-$1" ] || find "$tree/tsrun-test-$1" -depth -type d -exec rmdir {} + 2>/dev/null || :
	done
}
