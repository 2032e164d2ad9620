#!/bin/sh
# start.sh - `npm start`: from a fresh clone to a page served by a container of an ordinary user.
#
#   1. the host: Debian packages that are missing, two device files, subordinate ids (the only steps that need root, by sudo)
#   2. the project: npm ci, npm run build, ~/.local/bin/tsrun
#   3. tsrun run -d -p 8000:80 httpd
#
# As root, 2 and 3 are done by the ordinary user `tsrun`, who is created, in a copy of this tree in that user's home.
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
. "$setup/link-command.sh"

if [ -z "${TSRUN_HOST_READY-}" ]; then
	# shellcheck disable=SC2086 # names of packages
	ensure_packages $START_PACKAGES
	ensure_devices
fi

if is_root; then
	account=tsrun
	ensure_account "$account"
	tree=$(home_of "$account")/tsrun
	copy_tree "$account" "$tree"
	ensure_apparmor_profile "$tree/dist/bin/tsrun"
	say "going on as $account in $tree"
	export TSRUN_ACCOUNT="$account"
	run_as "$account" "$tree" sh src/setup/start.sh
	exit
fi

if [ -z "${TSRUN_HOST_READY-}" ]; then
	ensure_subids "$(id -un)"
	ensure_apparmor_profile "$root/dist/bin/tsrun"
fi
install_dependencies
build_tree
link_command
sh "$setup/node24.sh" "$setup/start-httpd.ts"
