#!/usr/bin/env bash
# Puts data sets where nnrun looks for them.
set -euo pipefail

usage() {
  cat <<'END'
usage: fetch.sh mnist|catdog [--to DIR] [--from DIR|ARCHIVE]

  mnist        the four files of the MNIST handwritten digits, 11 MB
  catdog       the 25,000 photographs of Dogs vs. Cats, 825 MB to download; prepared, 128 x 128 pixels, 150 MB
  --to DIR     the data root to put them into; otherwise $NNRUN_DATA, or the folder of this script
  --from DIR   take the files from there rather than from the network. mnist: a folder with *-ubyte.gz, or
               unpacked. catdog: Microsoft's or Kaggle's archive, a folder with PetImages/Cat and PetImages/Dog
               or cat.0.jpg and so on, or a folder with a prepared train.tar and test.tar

What is downloaded is checked against its SHA-256 and gets its name only then, so that what is there is whole.
Files that are there and right are not fetched again. An interrupted download of catdog goes on where it stopped.
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

readonly catdog_archive=kagglecatsanddogs_5340.zip
readonly catdog_url=https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/$catdog_archive
readonly catdog_bytes=824887076
readonly catdog_sha256=b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9
# Of both archives that are prepared, and some more.
readonly catdog_prepared_bytes=200000000

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

# download URL FILE [continue]: with continue, behind the bytes that FILE has.
download() {
  local more=()
  if command -v curl >/dev/null; then
    if [[ -n ${3:-} ]]; then more=(--continue-at -); fi
    if [[ -t 2 ]]; then more+=(--progress-bar); else more+=(--silent --show-error); fi
    curl --fail --location --connect-timeout 15 --speed-time 30 --speed-limit 1000 "${more[@]}" --output "$2" "$1"
  elif command -v wget >/dev/null; then
    if [[ -n ${3:-} ]]; then more=(--continue); fi
    wget --quiet --tries=1 --timeout=30 "${more[@]}" --output-document="$2" "$1"
  else
    fail "neither curl nor wget is there: install one of them, or fetch the files yourself and use --from"
  fi
}

# make_part TARGET: the folder $part, on the same file system as the target, so that mv is a rename: a file is there whole or
# not at all. It goes with this script.
make_part() {
  mkdir -p -- "$1" || fail "cannot make the folder $1"
  part=$(mktemp -d -- "$1/.fetch.XXXXXX") || fail "cannot write to $1"
  trap 'rm -rf -- "$part"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
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
  make_part "$target"
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

# The program that shrinks the photographs; built where it is not there yet.
find_prepare() {
  local root
  root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
  prepare=$(command -v nnrun-prepare-catdog) && return
  prepare=$root/build/release/bin/nnrun-prepare-catdog
  [[ -x $prepare ]] || "$root/tools/build.sh" release || fail "building $prepare failed"
}

# require_space FOLDER BYTES
require_space() {
  local free
  free=$(df -Pk -- "$1" | awk 'NR == 2 { print $4 }')
  ((free * 1024 >= $2)) || fail "the disk of $1 has $((free / 1024)) MiB free, and $(($2 >> 20)) MiB are needed: make room, or use --to"
}

size_of() {
  if [[ -f $1 ]]; then wc -c <"$1"; else echo 0; fi
}

# catdog_download FILE: the original archive, whole.
catdog_download() {
  local try
  for ((try = 1; try <= tries; ++try)); do
    if (($(size_of "$1") < catdog_bytes)); then
      require_space "$(dirname -- "$1")" $((catdog_bytes - $(size_of "$1") + catdog_prepared_bytes))
      echo "  $catdog_url"
      if ! download "$catdog_url" "$1" continue; then
        echo "  the download broke off, with $(size_of "$1") of $catdog_bytes bytes" >&2
        ((try == tries)) || sleep $((2 * try))
        continue
      fi
    fi
    [[ $(sha256 <"$1") == "$catdog_sha256" ]] && return
    echo "  what came is damaged or something else: its SHA-256 should be $catdog_sha256" >&2
    rm -f -- "$1"
  done
  fail "no whole $catdog_archive could be got in $tries tries: check the network and run this again, or use --from"
}

# What --from names, as the program takes it; `prepared` is set where it has to be copied only.
catdog_local() {
  local folder
  source=$from
  if [[ -f $from ]]; then
    if [[ $(sha256 <"$from") != "$catdog_sha256" ]]; then
      echo "note: $from is not Microsoft's $catdog_archive (another SHA-256); its photographs are taken as they are"
    fi
    return
  fi
  for folder in "$from" "$from/catdog"; do
    if [[ -f $folder/train.tar && -f $folder/test.tar ]]; then
      "$prepare" check "$folder" || fail "the archives in $folder are damaged, or others"
      prepared=$folder
      return
    fi
  done
  if [[ -f $from/$catdog_archive ]]; then
    source=$from/$catdog_archive
    [[ $(sha256 <"$source") == "$catdog_sha256" ]] || fail "$source is damaged: its SHA-256 should be $catdog_sha256"
  fi
}

fetch_catdog() {
  local target=$to/catdog prepare source prepared='' download=''
  find_prepare
  if [[ -f $target/train.tar && -f $target/test.tar ]]; then
    if "$prepare" check "$target"; then
      echo "$target/train.tar and test.tar are there already"
      return
    fi
    echo "what is in $target is made anew" >&2
  fi
  make_part "$target"
  if [[ -n $from ]]; then
    catdog_local
  else
    download=$target/$catdog_archive.part
    catdog_download "$download"
    source=$download
  fi
  require_space "$target" "$catdog_prepared_bytes"
  if [[ -n $prepared ]]; then
    cp -- "$prepared/train.tar" "$prepared/test.tar" "$part" || fail "cannot copy to $target"
  else
    echo "making 128 x 128 pictures of $source"
    "$prepare" prepare "$source" "$part" || fail "the photographs could not be prepared"
  fi
  chmod 644 -- "$part/train.tar" "$part/test.tar"
  mv -f -- "$part/train.tar" "$part/test.tar" "$target" || fail "cannot write to $target"
  if [[ -n $download ]]; then rm -f -- "$download"; fi
  echo "the photographs are in $target"
}

to=${NNRUN_DATA:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)}
from=
part=
set_name=
while (($# > 0)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --to | --from)
      [[ $# -ge 2 && -n $2 ]] || wrong_usage "$1 needs a path"
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

[[ -n $set_name ]] || wrong_usage "which data set? there are mnist and catdog"
case $set_name in
  mnist)
    [[ -z $from || -d $from ]] || fail "there is no folder $from"
    command -v gzip >/dev/null || fail "gzip is not there: install it"
    fetch_mnist
    ;;
  catdog)
    [[ -z $from || -e $from ]] || fail "there is no file or folder $from"
    fetch_catdog
    ;;
  *) wrong_usage "unknown data set $set_name; there are mnist and catdog" ;;
esac
