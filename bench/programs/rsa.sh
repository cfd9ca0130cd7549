# SPDX-License-Identifier: Apache-2.0
# OpenSSL: a fixed number of RSA-2048 signatures; see rsa.py.

prepare() {
  cp "$HERE/rsa.py" "$HERE/rsa.pem" .
}

work() {
  python3 -B rsa.py "$((SCALE * 4 + 1))" rsa.pem > signatures
}

result() {
  cat signatures
}
