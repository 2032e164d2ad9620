#!/bin/sh
# apt-install.sh PACKAGE... - run as root: installs Debian packages for their files. No service of theirs is started, now or at boot.
set -eu

export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
own_policy=

# invoke-rc.d(8) asks this program before it starts a service; 101 forbids it.
if [ ! -e "$policy" ]; then
	own_policy=yes
	trap 'rm -f "$policy"' EXIT
	trap 'exit 1' INT TERM
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi

apt-get -qq -o DPkg::Lock::Timeout=300 update ||
	echo 'tsrun set-up: apt-get update failed; going on with the lists that are there' >&2

available=
for package; do
	if apt-cache show "$package" >/dev/null 2>&1; then
		available="$available $package"
	else
		echo "tsrun set-up: this distribution has no package $package; going on without it" >&2
	fi
done

# shellcheck disable=SC2086 # names of packages
apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install -y --no-install-recommends $available </dev/null >/dev/null

if [ -n "$own_policy" ] && command -v systemctl >/dev/null; then
	for package in $available; do
		dpkg -L "$package" | sed -n 's|.*/lib/systemd/system/\([^/@]*\.[a-z]*\)$|\1|p'
	done | while read -r unit; do
		systemctl --quiet disable "$unit" 2>/dev/null || :
	done
fi
