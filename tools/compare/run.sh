#!/usr/bin/env bash
# nnrun beside PyTorch, NumPy, oneDNN and OpenBLAS. Installs the peers from Debian where they are missing, builds, measures, prints.
#
#   tools/compare/run.sh                                     5 rounds, 1 and 2 threads: about 5 minutes
#   tools/compare/run.sh --rounds 9 --json comparison.json    then: tools/compare/report.py comparison.json
#
# Options are compare.py's. NNRUN_COMPARE_BUILD is where things are built (build/compare).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=${NNRUN_COMPARE_BUILD:-$here/../../build/compare}
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

root=$(cd "$here/../.." && pwd)
"$root/tools/build.sh" release
cmake --build "$root/build/release" --target nnrun_benchmark_gemm >/dev/null

mkdir -p "$build"
build=$(cd "$build" && pwd)
if [ ! -e "$build/onednn_mlp" ] || [ "$here/onednn_mlp.cpp" -nt "$build/onednn_mlp" ]; then
  # No errno from sqrt, so that Adam's loop is vectorised.
  "${CXX:-g++}" -std=c++20 -O3 -march=native -fno-math-errno -fopenmp -Wall -Wextra "$here/onednn_mlp.cpp" -o "$build/onednn_mlp" -ldnnl
fi
export PYTHONDONTWRITEBYTECODE=1
$python "$here/fixture.py" "$build/fixture"
exec $python "$here/compare.py" --nnrun "$root/build/release/bin/nnrun" --build "$build" --fixture "$build/fixture" "$@"
