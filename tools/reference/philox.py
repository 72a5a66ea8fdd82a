"""Philox4x32-10, the counter-based random numbers of nnrun (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
easy as 1, 2, 3", SC 2011).

A number depends only on its key and its position, never on what was drawn before:

    key      (seed's low 32 bits, seed's high 32 bits)
    counter  (block, minor, major, stream)      four 32-bit words
    number 4 * block + j of the sequence is word j of that block's output

Run this file to check the generator against the known answers that its authors publish.
"""

import numpy

STREAM_WEIGHTS = 1  # major: index of the layer in the config's list; minor: index of the weight inside its layer
STREAM_ORDER = 2  # major: epoch; minor: 0
STREAM_DATASET = 5
STREAM_SPLIT = 6

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
LOW_32 = numpy.uint64(0xFFFFFFFF)
SHIFT_32 = numpy.uint64(32)


def blocks(counter, key):
    """Encrypts counters: four equally long uint64 arrays of 32-bit words in, four such arrays out."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        product0 = c0 * numpy.uint64(MULTIPLIERS[0])
        product1 = c2 * numpy.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (
            (product1 >> SHIFT_32) ^ c1 ^ numpy.uint64(k0),
            product1 & LOW_32,
            (product0 >> SHIFT_32) ^ c3 ^ numpy.uint64(k1),
            product0 & LOW_32,
        )
        k0 = (k0 + WEYL[0]) & 0xFFFFFFFF
        k1 = (k1 + WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def words(seed, stream, major, minor, count):
    """The first `count` 32-bit words of a sequence, as uint64."""
    block = numpy.arange((count + 3) // 4, dtype=numpy.uint64)
    constant = lambda value: numpy.full(block.shape, value, dtype=numpy.uint64)
    output = blocks(
        (block, constant(minor), constant(major), constant(stream)),
        (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF),
    )
    return numpy.stack(output, axis=1).reshape(-1)[:count]


def to_uniform(values):
    """32-bit words to float32 in [0, 1): the top 24 bits, so that every value is exact."""
    return (values >> numpy.uint64(8)).astype(numpy.float32) * numpy.float32(2.0**-24)


def uniform(seed, stream, major, minor, count):
    return to_uniform(words(seed, stream, major, minor, count))


def lcg_uniform(seed, stream, major, minor, count):
    """The linear congruential generator (Numerical Recipes' constants), seeded by the sequence's first Philox word."""
    state = int(words(seed, stream, major, minor, 1)[0])
    values = numpy.empty(count, dtype=numpy.uint64)
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] = state
    return to_uniform(values)


def he_uniform(seed, layer, weight, fan_in, shape, generator=uniform):
    """Uniform in [-limit, limit), limit = sqrt(6 / fan_in) (He et al. 2015), rounded to float32 at every step."""
    u = generator(seed, STREAM_WEIGHTS, layer, weight, int(numpy.prod(shape)))
    limit = numpy.float32(numpy.sqrt(6.0 / fan_in))
    return ((numpy.float32(2) * u - numpy.float32(1)) * limit).reshape(shape)


def shuffled(seed, epoch, count):
    """The order of an epoch: Fisher and Yates' shuffle from the end, one word a swap (multiply and shift, no rejection)."""
    order = list(range(count))
    random_words = words(seed, STREAM_ORDER, epoch, 0, count - 1).tolist()
    for i, word in zip(range(count - 1, 0, -1), random_words):
        j = (word * (i + 1)) >> 32
        order[i], order[j] = order[j], order[i]
    return numpy.array(order)


def check_known_answers():
    known = [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ]
    for counter, key, expected in known:
        counter = [numpy.array([int(word, 16)], dtype=numpy.uint64) for word in counter.split()]
        output = blocks(counter, [int(word, 16) for word in key.split()])
        text = " ".join(f"{int(word[0]):08x}" for word in output)
        assert text == expected, f"counter and key give {text}, the authors' table says {expected}"


if __name__ == "__main__":
    check_known_answers()
    print("Philox4x32-10 gives the known answers")
