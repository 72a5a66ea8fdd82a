#!/usr/bin/python3
"""Golden values of nnrun's random numbers, from tools/reference/philox.py: rewrites random.json beside it.

    {"words":      [{"seed", "stream", "major", "minor", "words": the first ten}],       exact
     "he_uniform": [{"seed", "layer", "shape", "generator", "weights": the first eight}], exact float32 numbers
     "orders":     [{"seed", "epoch", "count", "order": the first twelve at most, "checksum"}]}

A checksum is the sum of (i + 1) * order[i] over the whole order, modulo 2^64. 64-bit seeds are strings.
"""

import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent.parent / "tools" / "reference"))
import philox

BIG_SEED = 0x0123456789ABCDEF


def words(seed, stream, major, minor):
    values = philox.words(seed, stream, major, minor, 10).tolist()
    return {"seed": str(seed), "stream": stream, "major": major, "minor": minor, "words": values}


def he_uniform(seed, layer, shape, generator):
    draw = {"philox": philox.uniform, "lcg": philox.lcg_uniform}[generator]
    values = philox.he_uniform(seed, layer, 0, shape[0], shape, draw).reshape(-1)[:8]
    # Nine digits tell any two float32 numbers apart.
    values = [float(f"{value:.9g}") for value in values]
    return {"seed": str(seed), "layer": layer, "shape": shape, "generator": generator, "weights": values}


def order(seed, epoch, count):
    values = philox.shuffled(seed, epoch, count).tolist()
    checksum = sum((i + 1) * value for i, value in enumerate(values)) % 2**64
    return {"seed": str(seed), "epoch": epoch, "count": count, "order": values[:12], "checksum": str(checksum)}


def main():
    layers = [(1, [784, 256]), (3, [256, 128]), (5, [128, 64]), (7, [64, 10])]
    document = {
        "words": [words(42, 1, 1, 0), words(42, 2, 1, 0), words(42, 5, 0, 3), words(BIG_SEED, 6, 0xFFFFFFFF, 7)],
        "he_uniform": [he_uniform(42, layer, shape, g) for g in ("philox", "lcg") for layer, shape in layers],
        "orders": [order(42, 0, 2), order(42, 0, 12), order(42, 1, 12), order(BIG_SEED, 0, 1000), order(42, 24, 60000)],
    }
    rows = [f"{json.dumps(key)}: [\n  " + ",\n  ".join(map(json.dumps, rows)) + "\n ]" for key, rows in document.items()]
    (FOLDER / "random.json").write_text("{\n " + ",\n ".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
