#!/usr/bin/env bash
# nnrun beside PyTorch, NumPy, oneDNN and OpenBLAS. Installs the peers from Debian where they are missing, builds, measures, prints.
#
#   tools/compare/run.sh                                  everything, 3 rounds, 1 and 2 threads: about half an hour
#   tools/compare/run.sh --only catdog_cnn mnist_mlp       some of it
#   tools/compare/run.sh --rounds 5 --json comparison.json  then: tools/compare/report.py comparison.json
#
# Options are compare.py's (--help). NNRUN_COMPARE_BUILD is where things are built (build/compare).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${NNRUN_COMPARE_BUILD:-$root/build/compare}
python=/usr/bin/python3 # Debian's, which sees Debian's packages; another one may come first in PATH

missing=
while read -r package; do
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done <"$here/packages.txt"
if [ -n "$missing" ]; then
  echo "installing$missing" >&2
  [ "$(id -u)" = 0 ] && as_root= || as_root=sudo
  # shellcheck disable=SC2086
  $as_root apt-get update && $as_root apt-get install --yes --no-install-recommends $missing
fi

"$root/tools/build.sh" release
cmake "$root/build/release" >/dev/null # the peers' libraries may be new
cmake --build "$root/build/release" --target nnrun_benchmarks nnrun_compare_peers >/dev/null

# What peers start from is made once, and again when the scripts change that make it.
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$build"
stamp=$(cat "$here/fixture.py" "$here/pictures.py" "$root/tools/reference/mnist_mlp.py" | sha256sum)
if [ "$(cat "$build/stamp" 2>/dev/null)" != "$stamp" ]; then
  $python "$here/fixture.py" "$build"
  $python "$here/pictures.py" "$build"
  echo "$stamp" >"$build/stamp"
fi
exec $python "$here/compare.py" --build "$root/build/release" --fixtures "$build" "$@"
