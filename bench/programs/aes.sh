# SPDX-License-Identifier: Apache-2.0
# OpenSSL: AES-256 in CBC mode over a fixed number of bytes, and back.

key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
iv=f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff

prepare() {
  cat "$TREE.tar" "$TREE.tar" "$TREE.tar" "$TREE.tar" | head -c "$((SCALE * 500000))" > data
}

work() {
  openssl enc -aes-256-cbc -K "$key" -iv "$iv" -in data -out data.aes
  openssl enc -d -aes-256-cbc -K "$key" -iv "$iv" -in data.aes -out again
}

result() {
  cmp data again
  cat data.aes
}
