# shellcheck shell=sh
# account.sh - sourced, for root: ordinary accounts to run tsrun as, because nothing of tsrun is meant to run as root.
# Needs common.sh and subids.sh.

home_of() {
	getent passwd "$1" | cut -d: -f6
}

# runtime_directory_of USER - what a login would set XDG_RUNTIME_DIR to
runtime_directory_of() {
	echo "/run/user/$(id -u "$1")"
}

# ensure_account USER - with subordinate ids
ensure_account() {
	create_account "$1"
	ensure_subids "$1"
}

# ensure_account_without_subids USER
ensure_account_without_subids() {
	create_account "$1"
	for file in /etc/subuid /etc/subgid; do
		if has_subids "$1" "$file"; then sed -i -e "/^$1:/d" -e "/^$(id -u "$1"):/d" "$file"; fi
	done
}

create_account() {
	if ! id "$1" >/dev/null 2>&1; then
		say "creating the ordinary user $1"
		useradd --create-home --shell /bin/bash --comment 'tsrun set-up' "$1"
	fi
	# systemd keeps the directory of a user who lingers; without systemd somebody has to make it.
	if [ -d /run/systemd/system ] && command -v loginctl >/dev/null; then loginctl enable-linger "$1" || :; fi
	[ -d "$(runtime_directory_of "$1")" ] ||
		install -d -m 700 -o "$1" -g "$(id -g "$1")" "$(runtime_directory_of "$1")"
}

# copy_tree USER DIRECTORY - the project as it is here, without what is built; what was built there before stays
copy_tree() {
	install -d -o "$1" -g "$(id -g "$1")" "$2"
	find "$2" -mindepth 1 -maxdepth 1 ! -name node_modules ! -name dist -exec rm -rf {} +
	tar -C "$root" --exclude=./node_modules --exclude=./dist --exclude=./.git -cf - . |
		as_account "$1" tar -C "$2" --no-same-permissions -xf -
}

# as_account USER COMMAND... - as that user, in the environment that is here
as_account() {
	account=$1
	shift
	setpriv --reuid "$(id -u "$account")" --regid "$(id -g "$account")" --init-groups --inh-caps=-all "$@"
}

# run_as USER DIRECTORY COMMAND... - as a login of that user would, in DIRECTORY. Passed on: CI, what reaches the network, and npm's
# registry as it is configured for root.
run_as() {
	user=$1
	directory=$2
	shift 2
	for name in CI TERM TSRUN_REPORTS TSRUN_ACCOUNT NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR \
		http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
		eval "value=\${$name-}"
		# shellcheck disable=SC2154 # set by eval
		[ -z "$value" ] || set -- "$name=$value" "$@"
	done
	for setting in $(npm_settings); do set -- "$setting" "$@"; done
	as_account "$user" env -i -C "$directory" \
		HOME="$(home_of "$user")" USER="$user" LOGNAME="$user" SHELL=/bin/bash LANG=C.UTF-8 \
		XDG_RUNTIME_DIR="$(runtime_directory_of "$user")" TSRUN_HOST_READY=yes \
		PATH="$(node_directory_for "$user"):/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin" "$@"
}
