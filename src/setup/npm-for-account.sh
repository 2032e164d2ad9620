# shellcheck shell=sh
# npm-for-account.sh - sourced, for root: lets another account use the Node and the npm configuration that root has.
# Needs account.sh.

# npm's effective settings for reaching a registry, as environment variables, one a line.
npm_settings() {
	npm config get registry cafile proxy https-proxy noproxy strict-ssl 2>/dev/null | while IFS='=' read -r key value; do
		case $value in '' | null | undefined | *[[:space:]]*) continue ;; esac
		printf 'npm_config_%s=%s\n' "$(echo "$key" | tr - _)" "$value"
	done
}

# node_directory_for USER - where `node` and `npm` are for that user; copied to a public place when only root may read them
node_directory_for() {
	node=$(readlink -f "${npm_node_execpath:-$(command -v node)}")
	npm=$(readlink -f "${npm_execpath:-$(command -v npm)}")
	if as_account "$1" test -x "$node" -a -r "$npm" -a -x "${node%/*}/npm"; then
		echo "${node%/*}"
		return
	fi
	public=/usr/local/lib/tsrun-set-up
	rm -rf "$public"
	mkdir -p "$public/bin"
	cp "$node" "$public/bin/node"
	cp -RL "${npm%/bin/*}" "$public/npm"
	chmod -R a+rX "$public"
	ln -s ../npm/bin/npm-cli.js "$public/bin/npm"
	echo "$public/bin"
}
