# SPDX-License-Identifier: Apache-2.0
# sh openssl.sh, in the directory with data and keys: prints one line for each thing that it computes;
# debian-session.ts computes the same with the OpenSSL of the host.
set -e
for digest in md5 sha1 sha256 sha512 sha3-256 blake2b512 ripemd160; do
  openssl dgst -provider default -provider legacy -"$digest" -r data | sed "s/ .*//; s/^/$digest /"
done
openssl dgst -sha256 -hmac secret -r data | sed "s/ .*//; s/^/hmac /"
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
iv=f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
short=000102030405060708090a0b0c0d0e0f
for cipher in aes-256-cbc aes-256-ctr chacha20 camellia-256-cbc; do
  openssl enc "-$cipher" -K $key -iv $iv -in data | sha256sum | sed "s/ .*//; s/^/$cipher /"
  openssl enc "-$cipher" -K $key -iv $iv -in data | openssl enc -d "-$cipher" -K $key -iv $iv | cmp - data
done
openssl enc -aes-128-ecb -K $short -in data | sha256sum | sed "s/ .*//; s/^/aes-128-ecb /"
openssl dgst -sha256 -sign rsa.pem data | sha256sum | sed "s/ .*//; s/^/rsa /"
openssl pkeyutl -sign -rawin -inkey ed25519.pem -in data | sha256sum | sed "s/ .*//; s/^/ed25519 /"
openssl dgst -sha256 -verify ec-public.pem -signature ec.sig data
openssl pkeyutl -derive -inkey x25519.pem -peerkey x25519-peer.pem | sha256sum | sed "s/ .*//; s/^/x25519 /"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out new.pem 2> /dev/null
openssl dgst -sha384 -sign new.pem -out new.sig data
openssl pkey -in new.pem -pubout -out new-public.pem
openssl dgst -sha384 -verify new-public.pem -signature new.sig data
openssl prime -checks 20 170141183460469231731687303715884105727 | sed "s/.* is/prime is/"
