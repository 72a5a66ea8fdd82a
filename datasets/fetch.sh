#!/usr/bin/env bash
# Puts data sets where nnrun looks for them.
set -euo pipefail

usage() {
  cat <<'END'
usage: fetch.sh mnist [--to DIR] [--from DIR]

  mnist        the four files of the MNIST handwritten digits, 11 MB
  --to DIR     the data root to put them into; otherwise $NNRUN_DATA, or the folder of this script
  --from DIR   take the files from this folder, as *-ubyte.gz or unpacked, rather than from the network

Every file is checked against the SHA-256 of its unpacked content before it gets its name, so that what is
there is whole. Files that are there and right are not fetched again.
Exit codes: 0 all there, 1 a file could not be got or is damaged, 2 wrong usage.
END
}

fail() {
  echo "fetch.sh: $*" >&2
  exit 1
}

wrong_usage() {
  echo "fetch.sh: $*" >&2
  usage >&2
  exit 2
}

readonly tries=3
readonly mnist_mirrors=(
  https://ossci-datasets.s3.amazonaws.com/mnist
  https://storage.googleapis.com/cvdf-datasets/mnist
)
# The unpacked content: the original files of LeCun, Cortes and Burges. The .gz around it differs between mirrors.
readonly mnist_files=(
  "train-images-idx3-ubyte ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
  "train-labels-idx1-ubyte 65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
  "t10k-images-idx3-ubyte 0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
  "t10k-labels-idx1-ubyte ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
)

sha256() {
  if command -v sha256sum >/dev/null; then
    sha256sum | cut -d ' ' -f 1
  else
    shasum -a 256 | cut -d ' ' -f 1
  fi
}

# is_right FILE.gz SHA256: whether it unpacks, and to the right bytes.
is_right() {
  local got
  got=$(gzip -dc -- "$1" 2>/dev/null | sha256) || return 1
  [[ $got == "$2" ]]
}

download() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --connect-timeout 15 --speed-time 30 --speed-limit 1000 --output "$2" "$1"
  elif command -v wget >/dev/null; then
    wget --quiet --tries=1 --timeout=30 --output-document="$2" "$1"
  else
    fail "neither curl nor wget is there: install one of them, or fetch the files yourself and use --from"
  fi
}

# copy_local NAME SHA256 OUT.gz: from $from, packed or not.
copy_local() {
  if [[ -f $from/$1.gz ]]; then
    cp -- "$from/$1.gz" "$3"
    is_right "$3" "$2" || fail "$from/$1.gz is damaged, or is another file of that name: its unpacked SHA-256 should be $2"
  elif [[ -f $from/$1 ]]; then
    gzip -9 -n -c -- "$from/$1" >"$3"
    is_right "$3" "$2" || fail "$from/$1 is damaged, or is another file of that name: its SHA-256 should be $2"
  else
    fail "there is neither $from/$1.gz nor $from/$1"
  fi
}

# from_mirrors NAME SHA256 OUT.gz
from_mirrors() {
  local try mirror
  for ((try = 1; try <= tries; ++try)); do
    for mirror in "${mnist_mirrors[@]}"; do
      echo "  $mirror/$1.gz"
      if ! download "$mirror/$1.gz" "$3"; then
        echo "  not to be had from there" >&2
      elif is_right "$3" "$2"; then
        return
      else
        echo "  what came is damaged or something else" >&2
      fi
    done
    ((try == tries)) || sleep $((2 * try))
  done
  fail "no mirror gave a whole $1.gz in $tries tries: check the network, or use --from DIR"
}

fetch_mnist() {
  local target=$to/mnist entry name sum
  mkdir -p -- "$target" || fail "cannot make the folder $target"
  # On the same file system as the target, so that mv is a rename: a file is there whole or not at all.
  part=$(mktemp -d -- "$target/.fetch.XXXXXX") || fail "cannot write to $target"
  trap 'rm -rf -- "$part"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  for entry in "${mnist_files[@]}"; do
    read -r name sum <<<"$entry"
    if [[ -f $target/$name.gz ]] && is_right "$target/$name.gz" "$sum"; then
      echo "$target/$name.gz is there already"
      continue
    fi
    echo "$name.gz"
    if [[ -n $from ]]; then
      copy_local "$name" "$sum" "$part/$name.gz"
    else
      from_mirrors "$name" "$sum" "$part/$name.gz"
    fi
    chmod 644 -- "$part/$name.gz"
    mv -f -- "$part/$name.gz" "$target/$name.gz"
  done
  echo "MNIST is in $target"
}

to=${NNRUN_DATA:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)}
from=
part=
set_name=
while (($# > 0)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --to | --from)
      [[ $# -ge 2 && -n $2 ]] || wrong_usage "$1 needs a folder"
      if [[ $1 == --to ]]; then to=$2; else from=$2; fi
      shift
      ;;
    -*) wrong_usage "unknown option $1" ;;
    *)
      [[ -z $set_name ]] || wrong_usage "one data set at a time, got $set_name and $1"
      set_name=$1
      ;;
  esac
  shift
done

[[ -n $set_name ]] || wrong_usage "which data set? there is mnist"
[[ $set_name == mnist ]] || wrong_usage "unknown data set $set_name; there is mnist"
[[ -z $from || -d $from ]] || fail "there is no folder $from"
command -v gzip >/dev/null || fail "gzip is not there: install it"
fetch_mnist
