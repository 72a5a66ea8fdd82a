#!/usr/bin/env bash
# Installs what is missing, builds a Release, and runs: tools/run.sh configs/mnist_mlp.yaml [key=value...]
# Whatever nnrun takes goes through: tools/run.sh explain dense
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
if [ $# -eq 0 ]; then
  echo "usage: tools/run.sh CONFIG [key=value...], eg: tools/run.sh configs/mnist_mlp.yaml" >&2
  exit 2
fi
"$root/tools/build.sh" release
export NNRUN_DATA=${NNRUN_DATA:-$root/datasets}
exec "$root/build/release/bin/nnrun" "$@"
