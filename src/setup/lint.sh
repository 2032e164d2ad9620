#!/bin/sh
# lint.sh - formatting and lint of everything: Biome for TypeScript and JSON, shellcheck for shell.
set -eu
setup=$(cd "$(dirname "$0")" && pwd)
cd "$setup/../.."
sh "$setup/node24.sh" node_modules/@biomejs/biome/bin/biome check --error-on-warnings .
if command -v shellcheck >/dev/null; then
	# With what they source.
	# shellcheck disable=SC2046 # names without spaces
	shellcheck -x -a -P SCRIPTDIR $(grep -l '^#!/bin/sh' src/setup/*.sh native/*.sh) src/cli/tsrun.sh .ci/run
else
	echo 'lint: shellcheck is not installed; shell scripts were not checked' >&2
fi
