#!/bin/sh
# room.sh NAME USER TREE SOCKET SCRATCH - run as root: starts serve.ts as USER in other surroundings, and becomes it.
#
#   cgroup2   this machine, with a plain cgroup v2 tree in which USER has a directory: crun refuses the hybrid one of older systems
#   podman5   Debian 13's userland, where podman 5 is, by the script $PODMAN5
set -eu
name=$1 user=$2 tree=$3 socket=$4 scratch=$5
for node in "$tree"/node_modules/node-linux-*/bin/node; do :; done
serve="exec $node $tree/test/bench/serve.ts $socket $scratch"

case $name in
cgroup2)
	# shellcheck disable=SC2016 # expanded inside
	exec unshare --mount --propagation private sh -euc '
		umount -l /sys/fs/cgroup
		mount -t cgroup2 none /sys/fs/cgroup
		id=$(id -u "$1") group=$(id -g "$1") cgroup=/sys/fs/cgroup/tsrun-bench-$1
		mkdir -p "$cgroup/inside"
		chown -R "$id:$group" "$cgroup"
		echo $$ >"$cgroup/inside/cgroup.procs"
		mount --make-rshared /
		home=$(getent passwd "$1" | cut -d: -f6)
		cd "$home"
		exec setpriv --reuid "$id" --regid "$group" --init-groups --inh-caps=-all env -i HOME="$home" USER="$1" LOGNAME="$1" \
			XDG_RUNTIME_DIR="/run/user/$id" LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin sh -c "$2"
		' sh "$user" "$serve"
	;;
podman5) USERNAME=$user exec bash "$PODMAN5" "$serve" ;;
*)
	echo "room.sh: there is no room $name" >&2
	exit 1
	;;
esac
