"""How the Python peers measure and what they print: one JSON document.

    {"peer", "threads", "settings": {...}, "train": {"sgd": samples/s, ...}, "inference": {"1": samples/s, ...},
     "off": largest relative difference from the reference}

A rate is the median of many short stretches: on a machine that others use too, a mean would measure them.
"""

import argparse
import json
import statistics
import time


def parser():
    result = argparse.ArgumentParser()
    result.add_argument("--fixture", required=True)
    result.add_argument("--threads", type=int, required=True)
    result.add_argument("--seconds", type=float, default=0.5, help="for each measurement")
    result.add_argument("--settings", default="best")
    return result


def calls_per_second(call, seconds):
    """`call(i)` with i = 0, 1, 2, ...; stretches of about 5 ms."""
    call(0)
    start = time.perf_counter()
    call(1)
    stretch = max(1, round(0.005 / (time.perf_counter() - start)))
    rates = []
    i = 2
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(rates) < 3:
        start = time.perf_counter()
        for i in range(i, i + stretch):
            call(i)
        rates.append(stretch / (time.perf_counter() - start))
    return statistics.median(rates)


def quickest(ways, seconds):
    """Tries each of `ways` ({name: call}) briefly, measures the quickest; (its name, calls per second)."""
    if len(ways) > 1:
        trials = {name: calls_per_second(call, seconds / 4) for name, call in ways.items()}
        best = max(trials, key=trials.get)
    else:
        best = next(iter(ways))
    return best, calls_per_second(ways[best], seconds)


def report(peer, threads, settings, train, inference, off, **more):
    rounded = lambda rates: {str(name): round(rate, 1) for name, rate in rates.items()}
    document = {"peer": peer, "threads": threads, "settings": settings, "train": rounded(train), "inference": rounded(inference)}
    print(json.dumps(document | {"off": off} | {name: rounded(rates) for name, rates in more.items()}))
