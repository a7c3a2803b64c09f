#!/usr/bin/env bash
# `./dev demo`: three programs of the document, observed live. Called with the build directory; needs nothing but it and,
# where there is no display, Xvfb. Leaves demo.cst, demo.json, demo.perfetto-trace and maybe demo.png in the current directory.
set -euo pipefail
build=$(cd "$1" && pwd)
bin=$build/bin
work=$(mktemp -d)
address=unix:$work/agent.sock
pids=()

clean_up() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

step=0
say() { step=$((step + 1)); printf '\n\033[1m[%d/6] %s\033[0m\n' "$step" "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

wait_for() {  # SECONDS, WHAT, COMMAND...: until the command succeeds
    local seconds=$1 what=$2 end
    shift 2
    end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt "$end" ] || fail "$what did not happen within $seconds s; see $work"
        sleep 0.1
    done
}

say "An agent starts, and records everything into demo.cst"
rm -f demo.cst demo.json demo.perfetto-trace demo.png
"$bin/coroscope" agent --listen "$address" --record demo.cst >"$work/agent.log" 2>&1 &
pids+=($!)
agent=$!
wait_for 20 "the agent's answer" "$bin/coroscope" status --agent "$address"
echo "$address"

say "Three programs of the document start, debug mode switched on by the environment"
export COROSCOPE=$address
PORT=0 "$bin/examples/web_server" >"$work/web_server.log" 2>&1 &
pids+=($!)
wait_for 20 "the web server's start" grep -q 'Server started' "$work/web_server.log"
port=$(sed -n 's/.*localhost:\([0-9]*\).*/\1/p' "$work/web_server.log")
"$bin/examples/pipeline" >"$work/pipeline.log" 2>&1 &
pids+=($!)
"$bin/examples/debug_mode" >"$work/debug_mode.log" 2>&1 &
pids+=($!)
debug_mode=$!
cat "$work/web_server.log"
unset COROSCOPE

visitor() {  # keeps one connection open and asks for a page now and then
    local name=$1 line length
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    while :; do
        printf 'GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n' "$name" >&3
        length=0
        while IFS= read -r line <&3; do
            line=${line%$'\r'}
            [ -n "$line" ] || break
            case ${line,,} in content-length:*) length=${line##* } ;; esac
        done
        IFS= read -r -N "$length" line <&3
        sleep 0.05
    done
}
for name in Alice Bob Carol Dave; do
    visitor "$name" 2>/dev/null &
    pids+=($!)
done

say "What is alive, who spawned it, where it waits:  coroscope tree"
is_in_tree() { "$bin/coroscope" tree --agent "$address" | grep -q "$1"; }
wait_for 20 "the visitors' arrival" is_in_tree "connection"
wait_for 20 "the pipeline's start" is_in_tree "consumer"
"$bin/coroscope" tree --agent "$address"

say "The viewer"
wait_for 20 "the end of debug_mode" bash -c "! kill -0 $debug_mode"
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    echo "a window, live, for a minute; close it to go on"
    timeout 60 "$bin/coroscope-viewer" "$address" || true
else
    rm -f demo.png
    xvfb-run -a -s "-screen 0 1600x1000x24" \
        "$bin/coroscope-viewer" "$address" --screenshot demo.png --size 1600x1000 --view dashboard --after 3 ||
        [ -s demo.png ] # xvfb-run fails now and then when it tidies up
    echo "no display here: its picture is in $(pwd)/demo.png"
fi

say "What is wrong:  coroscope problems"
"$bin/coroscope" problems --agent "$address"

say "The recorded trace, for other tools:  coroscope export"
kill "$agent"
wait "$agent" || fail "the agent ended with an error: $(tail -n 3 "$work/agent.log")"
"$bin/coroscope" export demo.cst --format chrome -o demo.json
"$bin/coroscope" export demo.cst --format perfetto -o demo.perfetto-trace
ls -l demo.cst demo.json demo.perfetto-trace
echo
echo "Open demo.json or demo.perfetto-trace in https://ui.perfetto.dev, demo.cst with: build/bin/coroscope view demo.cst"
