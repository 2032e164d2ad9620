# shellcheck shell=sh
# install.sh - sourced: `npm ci`, when the lock file is another one than at the last time.

install_dependencies() {
	stamp=$root/node_modules/.installed-package-lock.json
	if cmp -s "$root/package-lock.json" "$stamp"; then return 0; fi
	say 'npm ci'
	# The npm that called us, if one did: in a script's PATH the first `node` is the one that npm ci is about to replace.
	case ${npm_execpath-} in
	*/npm-cli.js) set -- "$npm_node_execpath" "$npm_execpath" ;;
	*) set -- npm ;;
	esac
	(cd "$root" && "$@" ci --include=dev --include=optional --no-audit --no-fund --no-update-notifier --loglevel=error)
	cp "$root/package-lock.json" "$stamp"
}
