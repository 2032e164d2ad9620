#!/bin/sh
# with-cgroups.sh ACCOUNT TREE [ARGUMENTS...] - for root: the suite with-cgroups, as ACCOUNT in TREE. A process of its own, as it is moved
# into the account's cgroups.
set -eu
setup=$(cd "$(dirname "$0")" && pwd)
. "$setup/common.sh"
. "$setup/account.sh"
. "$setup/npm-for-account.sh"
. "$setup/cgroups.sh"

# Not $account and $tree: those names are the sourced functions'.
who=$1 project=$2
shift 2
if delegate_cgroups "$who"; then
	status=0
	run_as "$who" "$project" sh src/setup/test.sh with-cgroups "$@" || status=$?
	leave_cgroups
	remove_cgroups "$who"
	exit "$status"
else
	say 'no cgroup can be made here: the suite with-cgroups is left out'
fi
