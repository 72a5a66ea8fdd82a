"""What a peer computes is held against a reference in float64 before it is timed."""

import numpy

# A peer whose results are further off than this computes something else, and is not timed.
TOLERANCE = 2e-4


def difference(got, expected):
    """Largest difference relative to the largest expected magnitude."""
    got, expected = numpy.asarray(got, numpy.float64), numpy.asarray(expected, numpy.float64)
    return float(numpy.abs(got - expected).max() / numpy.abs(expected).max())


def demand_agreement(what, got, expected, tolerance=TOLERANCE):
    off = difference(got, expected)
    if not off <= tolerance:
        raise SystemExit(f"{what} differs from the reference by {off:.2e}, allowed are {tolerance:.0e}: not timed")
    return off
