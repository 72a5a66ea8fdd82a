"""How nnrun's cat/dog step grows with threads, batch and picture size."""

import running

CONFIG = "configs/catdog_cnn.yaml"
BATCHES, SIZES = (1, 4, 16, 64), (64, 128, 256)
BATCH, SIZE = 16, 128


def step_ms(options, threads, batch, size):
    overrides = (f"run.threads={threads}", f"train.batch={batch}", f"data.source.image_folder.size=[{size}, {size}]")
    words = [options.nnrun, "bench", CONFIG, "--json", "--seconds", options.seconds, *overrides]
    return running.run_json(words, {}, threads)["train"]["step_ms"]


def measure(options):
    """[{"threads", "batch", "size", "ms"}]: each the least of the rounds."""
    points = [(threads, batch, SIZE) for threads in options.threads for batch in BATCHES]
    points += [(threads, BATCH, size) for threads in options.threads for size in SIZES if size != SIZE]
    best = {}
    for _ in range(min(options.rounds, 3)):
        for point in points:
            ms = step_ms(options, *point)
            best[point] = min(ms, best.get(point, ms))
    return [{"threads": t, "batch": b, "size": s, "ms": ms} for (t, b, s), ms in best.items()]
