#!/bin/sh
# node24.sh ARGUMENTS... - runs the Node 24 that came with `npm ci`, whatever the system's own Node is.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
for node in "$root"/node_modules/node-linux-*/bin/node; do
	[ -x "$node" ] || continue
	# What is started from here (workers, npm) finds the same Node by its name.
	PATH=${node%/*}:$PATH
	export PATH
	# shellcheck disable=SC2093 # exec fails only when it cannot start Node, and then the script ends
	exec node "$@"
done
if ! command -v node >/dev/null || [ "$(node -p 'parseInt(process.versions.node) >= 24')" != true ]; then
	echo "tsrun: Node 24 is not installed here; run: npm ci" >&2
	exit 1
fi
exec node "$@"
