# shellcheck shell=sh
# link-command.sh - sourced: makes `tsrun` a command of this user, by a symbolic link in ~/.local/bin.

link_command() {
	mkdir -p "$HOME/.local/bin"
	link=$HOME/.local/bin/tsrun
	if [ -e "$link" ] && [ ! -L "$link" ]; then
		say "$link is not ours and stays as it is"
		return 0
	fi
	ln -sfn "$root/dist/bin/tsrun" "$link"
}
