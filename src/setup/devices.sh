# shellcheck shell=sh
# devices.sh - sourced: makes sure that ordinary users may open /dev/fuse (fuse-overlayfs) and /dev/net/tun (pasta, slirp4netns).
# udev gives them mode 666; a machine without udev may have them for root only, or not at all.

ensure_devices() {
	ensure_device /dev/fuse 10 229
	ensure_device /dev/net/tun 10 200
}

# ensure_device PATH MAJOR MINOR
ensure_device() {
	if [ -c "$1" ]; then
		is_root || [ ! -r "$1" ] || [ ! -w "$1" ] || return 0
		[ "$(stat -c %a "$1")" != 666 ] || return 0
	fi
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_admin sh -c 'mkdir -p "${1%/*}" && { [ -c "$1" ] || mknod "$1" c "$2" "$3"; } && chmod 666 "$1"' sh "$1" "$2" "$3" ||
		say "going on without $1"
}
