/**
 * The scripts that teach a shell to ask tsrun. Each hands over the words up to the cursor, and gets lines back:
 *
 *     TEXT<tab>DESCRIPTION     a candidate
 *     :files                   and names of files
 */

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * bash breaks words at `=` and `:` (COMP_WORDBREAKS), which image names and options are full of: the words are taken from the line
 * itself, and what bash will keep of the word is cut off the candidates.
 */
const BASH = String.raw`# tsrun completion bash >~/.local/share/bash-completion/completions/tsrun
_tsrun() {
	local line=${'$'}{COMP_LINE:0:COMP_POINT} reply current kept
	local -a words=()
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=('')
	current=${'$'}{words[${'$'}{#words[@]}-1]}
	kept=
	case $COMP_WORDBREAKS in *[:=]*) kept=${'$'}{current%"${'$'}{current##*[:=]}"} ;; esac
	COMPREPLY=()
	while IFS= read -r reply; do
		if [[ $reply == :files ]]; then
			compopt -o default
		else
			reply=${'$'}{reply%%$'\t'*}
			COMPREPLY+=("${'$'}{reply#"$kept"}")
		fi
	done < <("${'$'}{words[0]}" completion words -- "${'$'}{words[@]:1}" 2>/dev/null)
}
complete -F _tsrun tsrun
`;

const ZSH = String.raw`#compdef tsrun
# tsrun completion zsh >"${'$'}{fpath[1]}/_tsrun"
_tsrun() {
	local reply files=
	local -a found
	for reply in "${'$'}{(@f)$("${'$'}{words[1]}" completion words -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		case $reply in
		:files) files=1 ;;
		?*) found+=("${'$'}{${'$'}{reply%%$'\t'*}//:/\\:}:${'$'}{reply#*$'\t'}") ;;
		esac
	done
	(( ${'$'}{#found} )) && _describe 'tsrun' found
	[[ -z $files ]] || _files
}
if [[ $funcstack[1] == _tsrun ]]; then _tsrun "$@"; else compdef _tsrun tsrun; fi
`;

const FISH = `# tsrun completion fish >~/.config/fish/completions/tsrun.fish
function __tsrun_complete
	set -l words (commandline --tokenize --current-process --cut-at-cursor) (commandline --current-token --cut-at-cursor)
	for reply in ($words[1] completion words -- $words[2..-1] 2>/dev/null)
		if test "$reply" = :files
			__fish_complete_path (commandline --current-token --cut-at-cursor)
		else
			echo $reply
		end
	end
end
complete --command tsrun --no-files --arguments '(__tsrun_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
