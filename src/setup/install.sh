# shellcheck shell=sh
# install.sh - sourced: `npm ci`, when the lock file is another one than at the last time; and `npm run build`.

# One at a time in a tree: npm ci begins by removing what another one has just installed, a build replaces what another one has made.
# with_tree_lock COMMAND... - the lock is that of npm's own lock file
with_tree_lock() {
	(
		flock -n 8 || {
			say 'waiting for another set-up of this tree'
			flock 8
		}
		"$@" 8<&-
	) 8<"$root/package-lock.json"
}

install_dependencies() {
	with_tree_lock install_alone
}

build_tree() {
	with_tree_lock sh "$root/src/setup/node24.sh" "$root/src/setup/build.ts"
}

install_alone() {
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
