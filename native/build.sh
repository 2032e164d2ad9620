#!/bin/sh
# Builds the native parts into directory $1:
#
#   supervisor  init  hub  hold  static, no libc: one build per architecture runs on every distribution
#   tsrun-spawn.so        the library that Node calls (spawn.c)
#
#   build.sh DIR               CC=cc, or CC=aarch64-linux-gnu-gcc, CC=clang
#   build.sh DIR sanitize      for tests: supervisor and frames-fuzz with AddressSanitizer and UBSan, on a C library
#   build.sh DIR trapping      for tests: supervisor with UBSan's traps, static
set -eu

out=${1:?usage: build.sh DIR [sanitize|trapping]}
what=${2:-release}
here=$(cd "$(dirname "$0")" && pwd)
CC=${CC:-cc}
mkdir -p "$out"

interpreter="$here/program.c $here/program-check.c $here/make-path.c $here/remove-tree.c"
supervisor="$here/supervisor.c $here/supervisor/*.c $here/forward/*.c $interpreter"
outward="$here/forward/outward.c $here/forward/outward-udp.c $here/forward/segments.c $here/forward/datagram.c $here/forward/flows.c $here/forward/accepting.c $here/forward/attempts.c $here/forward/places.c $here/forward/queue.c $here/forward/connections.c $here/forward/relay.c
	$here/forward/pipes.c $here/forward/events.c $here/forward/patience.c $here/forward/address.c $here/forward/begin.c $here/forward/lock.c $here/forward/near.c"
hub="$here/hub.c $here/hub/*.c $outward $interpreter $here/supervisor/clock.c $here/supervisor/signals.c"
warnings="-std=gnu11 -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes"

# GCC recognises the loops of mem.c as memcpy and memset, and would make them call themselves. Clang does not know the flag.
loops=-fno-tree-loop-distribute-patterns
echo 'int x;' | $CC -Werror $loops -x c -c -o /dev/null - 2>/dev/null || loops=

# One flag a word: $flags and lists of files are split on purpose.
# shellcheck disable=SC2086
release() {
	flags="$warnings -Os -g0 -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fomit-frame-pointer $loops"
	link="-nostdlib -Wl,--build-id=none -Wl,-z,noexecstack -Wl,--gc-sections -Wl,-s"
	# Sorted by their alignment, variables that are small lie beside each other, and not each in a page between two buffers that nobody uses.
	tiny="-static -fno-pie -ffunction-sections -fdata-sections -Wl,-z,noseparate-code -Wl,--sort-section=alignment"

	$CC $flags $tiny $link -o "$out/supervisor" $supervisor "$here/start.c" "$here/mem.c"
	$CC $flags $tiny $link -o "$out/hub" $hub "$here/start.c" "$here/mem.c"
	$CC $flags $tiny $link -o "$out/init" "$here/init.c" "$here/start.c" "$here/mem.c"
	$CC $flags $tiny $link -o "$out/hold" "$here/hold.c" "$here/start.c" "$here/mem.c"
	$CC $flags -shared -fPIC $link -o "$out/tsrun-spawn.so" \
		"$here/spawn.c" $interpreter "$here/mem.c"
}

# shellcheck disable=SC2086
sanitize() {
	flags="$warnings -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"

	$CC $flags -Dprogram_main=main -o "$out/supervisor" $supervisor
	$CC $flags -I"$here" -o "$out/frames-fuzz" "$here/../test/native/frames-fuzz.c" \
		"$here"/supervisor/client-receive.c "$here"/supervisor/client-send.c "$here"/supervisor/clients.c "$here"/supervisor/clock.c \
		"$here"/supervisor/event-log.c "$here"/supervisor/poll.c "$here"/supervisor/stdio.c "$here"/supervisor/log*.c
	$CC $flags -I"$here" -o "$out/noun-tests" "$here/../test/native/noun-tests.c" \
		"$here"/supervisor/clock.c "$here"/supervisor/event-log.c "$here"/supervisor/notify.c "$here"/supervisor/poll.c \
		"$here"/supervisor/log*.c
	$CC $flags -I"$here" -o "$out/forward-tests" "$here/../test/native/forward-tests.c" \
		"$here"/forward/address.c "$here"/forward/attempts.c "$here"/forward/datagram.c "$here"/forward/flows.c "$here"/forward/pipes.c "$here"/forward/places.c "$here"/forward/queue.c \
		"$here"/forward/relay.c "$here"/forward/near.c "$here"/forward/room.c "$here"/forward/segments.c "$here"/supervisor/clock.c
	$CC $flags -I"$here" -o "$out/forward-events-tests" "$here/../test/native/forward-events-tests.c" \
		"$here"/forward/connections.c "$here"/forward/events.c "$here"/forward/patience.c "$here"/forward/near.c "$here"/forward/address.c \
		"$here"/forward/pipes.c "$here"/forward/places.c "$here"/forward/relay.c "$here"/supervisor/clock.c
	$CC $flags -I"$here" -o "$out/hub-tests" "$here/../test/native/hub-tests.c" \
		"$here"/hub/message.c "$here"/hub/names.c "$here"/hub/servers.c "$here"/supervisor/clock.c
}

# The supervisor, and the forwarder in it, as released but that undefined behaviour is an illegal instruction: it needs no library either.
# shellcheck disable=SC2086
trapping() {
	flags="$warnings -Os -ffreestanding -fno-stack-protector $loops -fsanitize=undefined -fsanitize-undefined-trap-on-error"

	$CC $flags -static -fno-pie -nostdlib -Wl,--build-id=none -o "$out/supervisor" $supervisor "$here/start.c" "$here/mem.c"
}

"$what"
