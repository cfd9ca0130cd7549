# SPDX-License-Identifier: Apache-2.0
# Prints one line for each thing that it computes; debian-session.ts knows what the lines must be.
import decimal, fractions, hashlib, json, math, re, sqlite3, struct, threading, zlib

data = bytes((i * 7 + (i >> 8)) & 0xFF for i in range(100_000))
for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b"):
    print(name, hashlib.new(name, data).hexdigest())
print("pbkdf2", hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 2000).hex())
print("scrypt", hashlib.scrypt(b"password", salt=b"NaCl", n=1024, r=8, p=1, dklen=32).hex())
print("crc32", zlib.crc32(data))
print("deflate", zlib.decompress(zlib.compress(data, 9)) == data)

total = 0.0
for i in range(1, 50_001):
    total += 1.0 / i
print("harmonic", repr(total))
print("logistic", repr(math.fsum(x for x in [0.1] * 10)), repr(0.1 + 0.2), repr(sum([0.1] * 10)))
x = 0.25
for _ in range(1000):
    x = 3.9 * x * (1.0 - x)
print("chaos", repr(x))
print("extremes", 5e-324, 1.7976931348623157e308, 1e308 * 10, -0.0, repr(2.0**0.5), float.hex(1 / 3))
print("rounding", round(2.5), round(3.5), round(-2.5), math.floor(-0.5), math.trunc(1e15 + 0.5), int(1e22))
print("functions", "%.12g %.12g %.12g %.12g" % (math.sin(1e6), math.exp(-20.5), math.log(1e-300), math.atan2(-1, -2)))
print("single", struct.unpack("<f", struct.pack("<f", 0.1))[0])
print("int", pow(3, 100_003, 2**127 - 1), math.isqrt(10**60), (10**40) // 7, -7 // 2, -7 % 3)
print("decimal", decimal.Decimal(2).sqrt(), fractions.Fraction(355, 113) - fractions.Fraction(22, 7))

text = json.dumps({"b": [1, 2.5, None, True], "a": {"ü": "\u20ac\n"}}, sort_keys=True)
print("json", text, json.loads(text)["a"]["ü"] == "\u20ac\n", json.loads("[1e400, -0.0, 0.1]"))
print("re", re.sub(r"(\w+)@(\w+)", r"\2 at \1", "user@host other@place"))

database = sqlite3.connect(":memory:")
database.execute("create table t(n integer, s text)")
database.executemany("insert into t values (?, ?)", ((n, "%04d" % (n * 37 % 1000)) for n in range(5000)))
print("sqlite", database.execute("select count(*), sum(n), min(s), max(s), avg(n) from t where n % 3 = 0").fetchone())

counter = 0
lock = threading.Lock()


def count():
    global counter
    for _ in range(2000):
        with lock:
            counter += 1


threads = [threading.Thread(target=count) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("threads", counter)
