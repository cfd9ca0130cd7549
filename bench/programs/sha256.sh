# SPDX-License-Identifier: Apache-2.0
# OpenSSL: SHA-256 of a fixed number of bytes, in one process.

prepare() {
  head -c 4000000 "$TREE.tar" > data
}

work() {
  i=0
  while [ "$i" -lt "$((SCALE / 4 + 1))" ]; do
    cat data
    i=$((i + 1))
  done | openssl dgst -sha256 -r > digest
}

result() {
  cat digest
}
