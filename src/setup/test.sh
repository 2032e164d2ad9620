#!/bin/sh
# test.sh JOB [ARGUMENTS...] - `npm test` and its kin, from a fresh clone.
#
#   all    every suite but the long one; ARGUMENTS go to vitest
#   long   the suite that takes minutes
#   check  types, lint, shellcheck
#
# First the host and the project are set up as by `npm start` (start.sh), with more Debian packages. As root, the rest is done by the
# ordinary user `tsrun`, in a copy of this tree in that user's home, the suite `without-subids` by the user `tsrun-nosub`, and the suite
# `with-cgroups` by `tsrun` in a cgroup of its own, where this machine lets root make one.
#
# In the directory $TSRUN_REPORTS, if set, each run of vitest leaves <name>.json, its JSON report.
set -eu
setup=$(cd "$(dirname "$0")" && pwd)
. "$setup/common.sh"
. "$setup/packages.sh"
. "$setup/devices.sh"
. "$setup/subids.sh"
. "$setup/apparmor.sh"
. "$setup/account.sh"
. "$setup/npm-for-account.sh"
. "$setup/install.sh"

job=${1:?usage: test.sh all|long|check [ARGUMENTS...]}
shift

# vitest NAME ARGUMENTS...
vitest() {
	name=$1
	shift
	if [ -n "${TSRUN_REPORTS-}" ]; then
		set -- --reporter=default --reporter=json --outputFile.json="$TSRUN_REPORTS/$name.json" "$@"
	fi
	cd "$root" && under_profile sh "$setup/node24.sh" node_modules/vitest/vitest.mjs run --configLoader runner "$@"
}

if [ -z "${TSRUN_HOST_READY-}" ]; then
	# shellcheck disable=SC2086 # names of packages
	ensure_packages $TEST_PACKAGES
	# shellcheck disable=SC2086
	[ "$job" != long ] || ensure_packages $LONG_PACKAGES
	ensure_devices
fi

if is_root; then
	ensure_account tsrun
	ensure_account_without_subids tsrun-nosub
	home=$(home_of tsrun)
	tree=$home/tsrun-test
	# One at a time: the tests of two trees would be in each other's way. The lock ends with this script.
	exec 9>"$home/.tsrun-test.lock"
	flock -n 9 || { say 'waiting for other tests to end' && flock 9; }
	copy_tree tsrun "$tree"
	ensure_apparmor_profile "$tree/dist/bin/tsrun"
	chmod a+x "$home"
	say "going on as tsrun in $tree"
	status=0
	run_as tsrun "$tree" sh src/setup/test.sh "$job" "$@" 9>&- || status=$?
	if [ "$job" = all ] && [ -d "$tree/test/without-subids" ]; then
		run_as tsrun-nosub "$tree" sh src/setup/test.sh without-subids "$@" 9>&- || status=$?
	fi
	if [ "$job" = all ]; then
		sh "$setup/with-cgroups.sh" tsrun "$tree" "$@" 9>&- || status=$?
	fi
	exit "$status"
fi

if [ "$job" != without-subids ] && [ "$job" != with-cgroups ]; then
	if [ -z "${TSRUN_HOST_READY-}" ]; then
		ensure_subids "$(id -un)"
		ensure_apparmor_profile "$root/dist/bin/tsrun"
	fi
	install_dependencies
fi

case $job in
all)
	build_tree
	vitest all --project unit --project integration --project hostile --project e2e "$@"
	;;
long)
	build_tree
	vitest long --project long "$@"
	;;
without-subids | with-cgroups)
	vitest "$job" --project "$job" --passWithNoTests "$@"
	;;
check)
	sh "$setup/node24.sh" node_modules/typescript/bin/tsc --noEmit
	sh "$setup/lint.sh"
	;;
*)
	die "no such job: $job"
	;;
esac
