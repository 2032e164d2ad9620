# guest.sh PHASE - run by root in the virtual machine. Prints a section for each thing tried: `@@ NAME`, what it said, `@@= STATUS`.
phase=$1
export SYSTEMD_COLORS=0
home=/home/user

# try NAME COMMAND - as the ordinary user, with what a login would give
try() {
	echo "@@ $1"
	setpriv --reuid user --regid user --init-groups env -i HOME=$home USER=user LOGNAME=user XDG_RUNTIME_DIR=/run/user/1000 \
		DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus PATH=/opt/tsrun/dist/bin:/usr/bin:/bin:/usr/sbin:/sbin \
		bash -c "cd; $2" 2>&1 </dev/null
	echo "@@= $?"
}
# profile RULES [FLAGS] - an AppArmor profile for the launcher
profile() {
	printf 'abi <abi/4.0>,\ninclude <tunables/global>\nprofile tsrun "/opt/tsrun/dist/bin/tsrun" %s { %s }\n' "$2" "$1" >/etc/apparmor.d/tsrun
	apparmor_parser -r /etc/apparmor.d/tsrun
}
label='tsrun run --rm --network none localhost/busybox cat /proc/self/attr/current'
everything='file, capability, network, mount, umount, signal, ptrace, unix, dbus, pivot_root,'
in_a_scope='systemd-run --user --scope --quiet -p Delegate=yes'

case $phase in
1)
	useradd -m -s /bin/bash user
	loginctl enable-linger user
	until [ -S /run/user/1000/bus ]; do sleep 1; done
	try doctor 'tsrun doctor --json'
	try unconfined "$label"
	profile userns, 'flags=(unconfined)'
	try profiled "$label"
	try profiled-twice "tsrun run -d --name web -p 8000:80 localhost/httpd >id && curl -s --retry 20 --retry-connrefused localhost:8000 && tsrun exec web cat /proc/self/attr/current"
	profile "$everything"
	try without-userns "tsrun rm -f web && $label"
	apparmor_parser -R /etc/apparmor.d/tsrun
	rm /etc/apparmor.d/tsrun
	try limits "$in_a_scope tsrun run --name greedy --network none --memory 32m --pids-limit 50 localhost/busybox sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; exec tail /dev/zero'"
	try limits-told 'tsrun inspect -f "{{.State.OOMKilled}} {{.State.ExitCode}}" greedy'
	try journal 'tsrun run -d --name j --network none --log-driver journald localhost/busybox sh -c "echo hello; echo bad >&2; sleep 1000" >id; until tsrun logs j 2>&1 | grep -q bad; do sleep 1; done; tsrun logs j; tsrun rm -f j >/dev/null'
	try unit 'tsrun create --name u --network none localhost/busybox sleep 100000 >id; mkdir -p .config/systemd/user && cd .config/systemd/user && tsrun generate systemd --files --name u && systemctl --user daemon-reload && systemctl --user enable --now container-u.service && systemctl --user is-active container-u.service'
	try unit-restarts 'until [ "$(tsrun inspect -f "{{.State.Status}}" u)" = running ]; do sleep 1; done; kill -9 $(tsrun inspect -f "{{.State.Pid}}" u); until [ "$(systemctl --user show -p NRestarts --value container-u.service)" != 0 ]; do sleep 1; done; until [ "$(tsrun inspect -f "{{.State.Status}}" u)" = running ] && systemctl --user is-active --quiet container-u.service; do sleep 1; done; systemctl --user is-active container-u.service; tsrun ps --format "{{.Names}}"'
	try restart-service 'tsrun generate systemd --files --restart-service && mv tsrun-restart.service .config/systemd/user/ && systemctl --user daemon-reload && systemctl --user enable tsrun-restart.service && tsrun run -d --name again --restart always --network none localhost/busybox sleep 100000 >id; tsrun inspect -f "{{.State.Status}}" again'
	try left-running 'tsrun run -d --name left --network none localhost/busybox sleep 100000 >id; tsrun inspect -f "{{.State.Status}}" left'
	;;
2)
	until [ -S /run/user/1000/bus ]; do sleep 1; done
	try comes-back 'until [ "$(tsrun inspect -f "{{.State.Status}}" u)" = running ] && systemctl --user is-active --quiet container-u.service; do sleep 1; done; systemctl --user is-active container-u.service'
	try restarted 'until [ "$(systemctl --user is-active tsrun-restart.service)" = active ]; do sleep 1; done; tsrun inspect -f "{{.State.Status}}" again; tsrun rm -f again'
	try unit-stops 'systemctl --user disable --now container-u.service && tsrun inspect -f "{{.State.Status}} {{.State.ExitCode}}" u'
	try told-the-truth 'tsrun inspect -f "{{.State.Status}} {{.State.ExitCode}}" left; tsrun start left && tsrun inspect -f "{{.State.Status}}" left; tsrun rm -f left u greedy'
	;;
esac
