#!/usr/bin/env bash
# Builds a preset (default: release) after installing what is missing. What the build says is shown only where it fails.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
tools/install.sh
log=$(mktemp)
trap 'rm -f "$log"' EXIT
[ -f "build/$preset/build.ninja" ] || echo "building nnrun ($preset); the first time takes a few minutes" >&2
if ! { cmake --preset "$preset" && cmake --build --preset "$preset"; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "building failed" >&2
  exit 1
fi
