"""JPEG files to batches of floats: nnrun's loader beside PIL with PyTorch."""

import pathlib
import sys

import numpy

import running
from workloads import HERE, KEEP_MEMORY, NNRUN

CONFIG = "configs/catdog_cnn.yaml"
# Decoded anew each time; behind it hardly a net, so that little else is measured.
OVERRIDES = ("data.source.image_folder.cache=none", "model.layers=[flatten, {dense: {units: 1}}]")
TITLE = "JPEG files to batches of 16, 128 x 128 pixels"
PEER = "pytorch"


def archive(options):
    return options.data / "catdog" / "train.tar"


def measure_nnrun(options, threads):
    words = [options.nnrun, "bench", CONFIG, "--json", "--seconds", 4 * options.seconds, f"run.threads={threads}", *OVERRIDES]
    document = running.run_json(words, {}, threads)
    rate = document["train"]["batch"] / document["train"]["loading_ms"] * 1e3
    return {"peer": NNRUN, "threads": threads, "train": {}, "inference": {}, "loading": {"jpeg": rate}}


def measure_peer(options, threads):
    words = [sys.executable, HERE / "pytorch_loading.py", "--archive", archive(options), "--threads", threads, "--seconds", options.seconds]
    return running.run_json(words, {"OMP_NUM_THREADS": "1", "GLIBC_TUNABLES": KEEP_MEMORY}, threads)


def demand_agreement(options):
    """Both decode a picture to the same numbers, give or take two of 255 steps."""
    folder = pathlib.Path(options.fixtures) / "loading"
    folder.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, HERE / "pytorch_loading.py", "--archive", archive(options), "--write", folder]
    running.run(words, {})
    running.run(
        [options.nnrun, "trace", CONFIG, *OVERRIDES, "--input", folder / "picture.jpg", "--save", folder / "nnrun.npz"], {}
    )
    ours, theirs = numpy.load(folder / "nnrun.npz")["input"], numpy.load(folder / "picture.npy")
    off = float(numpy.abs(ours - theirs).max())
    if ours.shape != theirs.shape or not off <= 2 / 255:
        raise running.Failure(f"the two decode a picture differently: {ours.shape}, {theirs.shape}, by up to {off:.3f}")
