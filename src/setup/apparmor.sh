# shellcheck shell=sh
# apparmor.sh - sourced: lets tsrun make user namespaces where AppArmor keeps them from programs without a profile (Ubuntu 23.10 and
# later). The profile is for the launcher of one installation; what it executes, Node and containers, stays under it, because a
# profile with flags=(unconfined) is inherited. A profile for Node would unlock every script.

# apparmor_profile LAUNCHER - as `tsrun doctor` prints it (src/engine/doctor/probes/user-namespaces.ts; a test compares the two)
apparmor_profile() {
	cat <<-EOF
		abi <abi/4.0>,
		include <tunables/global>
		profile tsrun "$1" flags=(unconfined) {
		  userns,
		}
	EOF
}

is_restricted_by_apparmor() {
	[ "$(cat /proc/sys/kernel/apparmor_restrict_unprivileged_userns 2>/dev/null)" = 1 ]
}

# ensure_apparmor_profile LAUNCHER
ensure_apparmor_profile() {
	is_restricted_by_apparmor || return 0
	if apparmor_profile "$1" | cmp -s - /etc/apparmor.d/tsrun; then return 0; fi
	# shellcheck disable=SC2016 # expanded by the inner shell
	apparmor_profile "$1" |
		as_admin sh -c 'cat >/etc/apparmor.d/tsrun && apparmor_parser -r /etc/apparmor.d/tsrun' ||
		say "going on without an AppArmor profile: tsrun doctor says what is missing"
}

# under_profile COMMAND... - under tsrun's profile where there is the restriction: for the tests, which make namespaces without the launcher
under_profile() {
	if is_restricted_by_apparmor && command -v aa-exec >/dev/null; then
		aa-exec -p tsrun -- "$@"
	else
		"$@"
	fi
}
