# SPDX-License-Identifier: Apache-2.0
# gzip -9 of a tar of the tree, and back.

prepare() {
  head -c "$((SCALE * 100000))" "$TREE.tar" > tree.tar
}

work() {
  gzip -9 -n -c tree.tar > tree.tar.gz
  gzip -d -c tree.tar.gz > again.tar
}

result() {
  cmp tree.tar again.tar
  cat tree.tar.gz
}
