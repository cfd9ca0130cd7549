# SPDX-License-Identifier: Apache-2.0
# xz of a tar of the tree, on one thread, and back.

prepare() {
  head -c "$((SCALE * 25000))" "$TREE.tar" > tree.tar
}

work() {
  xz -T 1 -k tree.tar
  xz -T 1 -d -c tree.tar.xz > again.tar
}

result() {
  cmp tree.tar again.tar
  cat tree.tar.xz
}
