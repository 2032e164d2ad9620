#!/bin/sh
# tsrun - finds Node and starts the command line. Installed as dist/bin/tsrun; runs at every start, so it forks only to follow a
# symbolic link.
#
# Node is the official build that npm installed with tsrun (Debian's own starts three times slower), beside this package or, where
# npm hoisted it, beside the package's directory; else the `node` of PATH, whose version the loader checks.
#
# NODE_OPTIONS is kept from Node, because it could load code into tsrun, and because other V8 flags make the code cache unusable; the
# loader puts it back into the environment. NODE_EXTRA_CA_CERTS stays: since version 22 Node reads it only when TLS is used.

case $0 in
*/*) self=$0 ;;
*) self=./$0 ;;
esac
while [ -L "$self" ]; do
	target=$(readlink "$self")
	case $target in
	/*) self=$target ;;
	*) self=${self%/*}/$target ;;
	esac
done
bin=${self%/*}
package=$bin/../..

# Without `--` node reads an --env-file of ours itself, wherever it stands, into its own environment.
set -- -- "$bin/tsrun.cjs" "$@"

for node in \
	"$package"/node_modules/node-linux-*/bin/node \
	"$package"/../node-linux-*/bin/node; do
	[ -x "$node" ] && break
	node=
done
if [ -n "$node" ]; then
	# Flags of V8, only for the Node whose flags are known: another, which may not know one of them, would refuse to start.
	# --min-semi-space-size: a command ends before 8 MB of new objects have been made (V8 collects when 4/5 have), so that it does not collect
	# garbage while the user waits.
	# --no-rehash-snapshot: V8 otherwise searches three primes at each start and spreads all its hash tables anew with them, 5 ms. Without
	# that, names that collide in a table can be chosen in advance; so what strangers write is bounded before it becomes a table
	# (src/spec/foreign-json.ts), and the workers that read archives are started without it.
	# --baseline-batch-compilation-threshold, --invocation-count-for-maglev: V8 compiles in the background what was called 400 times, and does
	# so even in a start of 30 ms, a tenth of all it costs, for code that is never run again. 4000 calls are what only long work has.
	# --v8-pool-size: three threads fewer, each of which takes 0.1 ms.
	set -- --min-semi-space-size=8 --no-rehash-snapshot --v8-pool-size=1 \
		--baseline-batch-compilation-threshold=65536 --invocation-count-for-maglev=4000 "$@"
elif ! node=$(command -v node); then
	echo 'tsrun: no Node.js found: neither the one installed with tsrun nor "node" in PATH' >&2
	echo 'hint: npm install -g tsrun   (without --omit=optional: it brings its own Node)' >&2
	exit 125
fi

if [ -n "${NODE_OPTIONS+set}" ]; then
	TSRUN_NODE_OPTIONS=$NODE_OPTIONS
	export TSRUN_NODE_OPTIONS
	unset NODE_OPTIONS
fi
# Which descriptors are the caller's, before Node opens its own: asked only where some are to be passed on (sd_listen_fds(3)).
case "${LISTEN_FDS:+--preserve-fd} $*" in
*--preserve-fd*)
	# Looked at once more, as the directory was a descriptor itself while it was read; and without this script, which the shell reads.
	TSRUN_OPEN_FDS=
	for fd in "/proc/$$/fd"/*; do
		# shellcheck disable=SC3013 # -ef: dash, busybox and bash have it
		[ ! -e "$fd" ] || [ "$fd" -ef "$self" ] || TSRUN_OPEN_FDS="$TSRUN_OPEN_FDS ${fd##*/}"
	done
	export TSRUN_OPEN_FDS
	;;
esac
exec "$node" "$@"
