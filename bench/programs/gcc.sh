# SPDX-License-Identifier: Apache-2.0
# GCC -O2 over files of the oracle's native half (tests/oracle/native), one after the other, as make would do.

prepare() {
  cp -r "$HERE"/source/. .
}

work() {
  ls ./*.c | head -n "$((SCALE / 50 + 1))" | while read -r file; do
    gcc -O2 -std=gnu11 -Wall -Wextra -c "$file" -o "${file%.c}.o"
  done
}

result() {
  cat ./*.o
}
