# SPDX-License-Identifier: Apache-2.0
# python3 rsa.py COUNT KEY.pem: writes COUNT signatures (PKCS #1 v1.5 with SHA-256, so the same on every machine). It
# calls OpenSSL's libcrypto in one process: the openssl command signs one file a process and would time its own start.
import ctypes
import sys

crypto = ctypes.CDLL("libcrypto.so.3")


def function(name, result, *arguments):
    found = getattr(crypto, name)
    found.restype = result
    found.argtypes = arguments
    return found


pointer, size = ctypes.c_void_p, ctypes.c_size_t
new_file = function("BIO_new_file", pointer, ctypes.c_char_p, ctypes.c_char_p)
read_key = function("PEM_read_bio_PrivateKey", pointer, pointer, pointer, pointer, pointer)
sha256 = function("EVP_sha256", pointer)
new_context = function("EVP_MD_CTX_new", pointer)
free_context = function("EVP_MD_CTX_free", None, pointer)
start = function("EVP_DigestSignInit", ctypes.c_int, pointer, pointer, pointer, pointer, pointer)
sign = function(
    "EVP_DigestSign", ctypes.c_int, pointer, ctypes.c_char_p, ctypes.POINTER(size), ctypes.c_char_p, size
)


def signature(key, message):
    context = new_context()
    length = size(256)
    buffer = ctypes.create_string_buffer(256)
    if start(context, None, sha256(), None, key) != 1:
        sys.exit("no context")
    if sign(context, buffer, ctypes.byref(length), message, len(message)) != 1:
        sys.exit("no signature")
    free_context(context)
    return buffer.raw[: length.value]


key = read_key(new_file(sys.argv[2].encode(), b"r"), None, None, None)
if not key:
    sys.exit("no key")
for number in range(int(sys.argv[1])):
    sys.stdout.buffer.write(signature(key, b"message %d" % number))
