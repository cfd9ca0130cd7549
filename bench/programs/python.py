# SPDX-License-Identifier: Apache-2.0
# python3 python.py SCALE-PERCENT DIRECTORY: what scripts do all day: parse, match, count, sort, (de)serialise, objects,
# big and floating-point numbers. Of the C library's mathematics only the square root, which rounds the same everywhere;
# others are chosen by the processor's features.
import ast
import collections
import heapq
import json
import math
import pathlib
import re
import sys

scale = int(sys.argv[1]) / 70
sources = sorted(pathlib.Path(sys.argv[2]).glob("*.py"))
texts = [path.read_text(encoding="utf-8") for path in sources[: max(1, int(30 * scale))]]


def count_nodes():
    """Syntax trees of real modules."""
    kinds = collections.Counter()
    for text in texts[::3]:
        kinds.update(type(node).__name__ for node in ast.walk(ast.parse(text)))
    return sorted(kinds.items())


def count_words():
    word = re.compile(r"[A-Za-z_]\w{2,}")
    words = collections.Counter(match.group().lower() for text in texts for match in word.finditer(text))
    return sorted(words.items(), key=lambda item: (-item[1], item[0]))[:100]


def serialise():
    records = [
        {"name": f"record {i}", "tags": ["a", "b", str(i)], "size": i / 8, "nested": {"even": i % 2 == 0, "none": None}}
        for i in range(int(6000 * scale) + 1)
    ]
    again = json.loads(json.dumps(records, indent=1))
    return [len(json.dumps(again)), again == records]


class Node:
    def __init__(self, key):
        self.key, self.left, self.right = key, None, None

    def insert(self, key):
        side = "left" if key < self.key else "right"
        child = getattr(self, side)
        if child is None:
            setattr(self, side, Node(key))
        else:
            child.insert(key)

    def depth(self):
        return 1 + max(child.depth() if child else 0 for child in (self.left, self.right))


def tree():
    seed, root = 1, Node(1 << 31)
    for _ in range(int(5000 * scale)):
        seed = (seed * 1103515245 + 12345) & 0xFFFFFFFF
        root.insert(seed)
    return root.depth()


def shortest_paths():
    size = max(8, math.isqrt(int(12100 * scale)))
    distance, queue = {0: 0}, [(0, 0)]
    while queue:
        cost, at = heapq.heappop(queue)
        if cost > distance[at]:
            continue
        row, column = divmod(at, size)
        for r, c in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            if 0 <= r < size and 0 <= c < size:
                new = cost + (r * 7919 + c * 104729) % 97 + 1
                if new < distance.get(r * size + c, 1 << 60):
                    distance[r * size + c] = new
                    heapq.heappush(queue, (new, r * size + c))
    return distance[size * size - 1]


def digits_of_pi():
    """Machin's formula in whole numbers of a few thousand digits."""
    one = 10 ** int(2500 * scale + 20)

    def arctan_inverse(x):
        total = term = one // x
        n, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // n)
            n, sign = n + 2, -sign
        return total

    return str(4 * (4 * arctan_inverse(5) - arctan_inverse(239)))[-30:]


def sums():
    points = [((i * 37 % 101) / 101, (i * 53 % 97) / 97) for i in range(int(250 * scale) + 2)]
    total = 0.0
    for x, y in points:
        for u, v in points:
            total += math.sqrt((x - u) * (x - u) + (y - v) * (y - v))
    return repr(total)


for part in (count_nodes, count_words, serialise, tree, shortest_paths, digits_of_pi, sums):
    print(part.__name__, part())
