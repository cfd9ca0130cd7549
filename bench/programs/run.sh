# SPDX-License-Identifier: Apache-2.0
# Runs one program of this directory in the guest, between marks on the console (bench/marks.ts). Whoever reads the
# console takes the time, as for the workloads. A program is a file NAME.sh with three functions; a command that fails
# ends each of them:
#   prepare  makes what the program works on, outside the time
#   work     is what is timed
#   result   writes what the work came to; its digest must be the same on all machines
# They run in an empty directory. HERE is this directory, TREE a tree of real text, TREE.tar the same as an archive, and
# SCALE says how much work to do, in percent.
#   sh run.sh NAME [SCALE]
#   sh run.sh list
# BENCH_AREA names the directory for all files, BENCH_TREE the tree that is copied.
HERE=$(cd "$(dirname "$0")" && pwd)
if [ "$1" = list ]; then
  cd "$HERE" || exit 1
  printf "@list"
  for file in *.sh; do [ "$file" = run.sh ] || printf " %s" "${file%.sh}"; done
  echo
  exit 0
fi
name=$1
area=${BENCH_AREA:-/var/tmp/bench}
TREE=$area/tree
SCALE=${2:-100}
LC_ALL=C
export HERE TREE SCALE LC_ALL
mkdir -p "$area"

phase() {
  sh -e -c '. "$HERE/$0.sh"; "$1"' "$name" "$1" > "$area/$1.out" 2> "$area/errors"
}

fail() {
  echo "@failed $name $1: $(tail -n 1 "$area/errors")"
  exit 1
}

# The modules of Python, without what an interpreter adds to them while it runs.
if [ ! -e "$TREE.tar" ]; then
  cp -r "${BENCH_TREE:-/usr/lib/python3.11}" "$TREE"
  find "$TREE" -name __pycache__ -prune -exec rm -r {} +
  tar --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner --mode=go-w -C "$TREE" -cf "$TREE.tar" .
fi
rm -rf "$area/work"
mkdir "$area/work"
cd "$area/work" || exit 1
phase prepare || fail prepare
sync
echo "@begin $name"
phase work || fail work
echo "@end $name"
phase result || fail result
echo "@sum $name $(sha256sum < "$area/result.out" | cut -c 1-16)"
