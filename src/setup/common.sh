# shellcheck shell=sh
# common.sh - sourced by the set-up scripts: how they speak, and how they ask for the administrator's rights.
# They expect $setup, the directory they are in.

# shellcheck disable=SC2034 # used by who sources this
root=$(cd "$setup/../.." && pwd)

say() {
	printf 'tsrun set-up: %s\n' "$*"
}

die() {
	printf 'tsrun set-up: %s\n' "$*" >&2
	exit 1
}

is_root() {
	[ "$(id -u)" -eq 0 ]
}

# as_admin COMMAND... - runs it as root: directly, or by sudo, which may ask for a password. Nothing else here uses sudo.
as_admin() {
	if is_root; then
		"$@"
	elif command -v sudo >/dev/null; then
		say "as the administrator: $*"
		sudo "$@"
	else
		say "this needs the administrator, and there is no sudo; run as root: $*" >&2
		return 1
	fi
}
