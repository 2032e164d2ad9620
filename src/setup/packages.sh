# shellcheck shell=sh
# packages.sh - sourced: makes sure that Debian packages are there.

# What tsrun uses on the host, and a compiler for its native parts.
START_PACKAGES='uidmap slirp4netns passt fuse-overlayfs busybox-static gcc libc6-dev'

# What the tests compare with, serve images from, cut images out of, and look with.
# shellcheck disable=SC2034 # used by test.sh
TEST_PACKAGES="$START_PACKAGES podman crun runc conmon skopeo umoci bubblewrap docker-registry
	apache2 apache2-bin apache2-data media-types apache2-utils
	gcc-aarch64-linux-gnu libc6-dev-arm64-cross libseccomp-dev
	clang libclang-rt-14-dev libclang-rt-19-dev
	attr acl zstd xz-utils bzip2 jq iproute2 procps curl strace tmux openssl man-db systemd shellcheck"

# What the long tests make and boot a virtual machine with.
# shellcheck disable=SC2034
LONG_PACKAGES='mmdebstrap genext2fs qemu-system-x86'

is_installed() {
	# shellcheck disable=SC2016 # dpkg-query's own variable
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Whether it is worth asking for: known to apt, or apt has no lists yet.
may_be_installable() {
	ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 || return 0
	apt-cache show "$1" >/dev/null 2>&1
}

# ensure_packages NAME... - installs those that are missing, and says which this distribution does not have.
ensure_packages() {
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		say "this is not Debian or Ubuntu; have the counterparts of these packages installed: $*"
		return 0
	fi
	missing=
	for package; do
		is_installed "$package" || ! may_be_installable "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	say "installing$missing"
	# shellcheck disable=SC2086 # names of packages
	as_admin sh "$setup/apt-install.sh" $missing || die "could not install$missing"
}
