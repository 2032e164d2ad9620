# shellcheck shell=sh
# subids.sh - sourced: makes sure that a user has subordinate user and group ids (subuid(5)), 65536 of each.

# has_subids USER FILE
has_subids() {
	[ -e "$2" ] && grep -q -e "^$1:" -e "^$(id -u "$1"):" "$2"
}

# has_directory_subids USER - ids from a directory service (nsswitch.conf, `subid:`)
has_directory_subids() {
	command -v getsubids >/dev/null && getsubids "$1" >/dev/null 2>&1 && getsubids -g "$1" >/dev/null 2>&1
}

# The first id above every range that is given to somebody.
first_free_subid() {
	cat /etc/subuid /etc/subgid 2>/dev/null |
		awk -F: 'BEGIN { free = 100000 } $2 + $3 > free { free = $2 + $3 } END { print free }'
}

# ensure_subids USER
ensure_subids() {
	if has_directory_subids "$1"; then return 0; fi
	first=$(first_free_subid)
	range=$first-$((first + 65535))
	if ! has_subids "$1" /etc/subuid; then
		# shellcheck disable=SC2016 # expanded by the inner shell
		as_admin sh -c 'touch /etc/subuid && usermod --add-subuids "$2" "$1"' sh "$1" "$range" ||
			say "going on without subordinate user ids: containers see one user only"
	fi
	if ! has_subids "$1" /etc/subgid; then
		# shellcheck disable=SC2016
		as_admin sh -c 'touch /etc/subgid && usermod --add-subgids "$2" "$1"' sh "$1" "$range" ||
			say "going on without subordinate group ids: containers see one group only"
	fi
}
