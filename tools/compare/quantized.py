"""A net of integers beside the same net in floats, nnrun's and the peers'."""

import json
import shutil

import running
from workloads import NNRUN, WORKLOADS

FLOATS = WORKLOADS["mnist_128"]
TITLE = "MNIST: 784-128-10 in int8, inference; beside floats"
CONFIG = "configs/mnist_riscv.yaml"
FLOAT_NNRUN = "nnrun_float"
# Of the test set, predictions that integers may change.
MOST_CHANGED = 0.01


class Model:
    """nnrun bench of a checkpoint, in the shape of a peer's document."""

    def __init__(self, name):
        self.name = name

    def measure(self, options, _, threads):
        words = [options.nnrun, "bench", folder(options) / f"{self.name}.safetensors", "--json", "--seconds", options.seconds, f"run.threads={threads}"]
        rows = running.run_json(words, {}, threads)["inference"]
        rates = {str(row["batch"]): row["samples_per_s"] for row in rows if row["batch"] in FLOATS.inference}
        return {"peer": NNRUN, "threads": threads, "train": {}, "inference": rates}


class FloatPeer:
    def __init__(self, peer):
        self.peer = peer

    def measure(self, options, _, threads):
        return self.peer.measure(options, options.fixtures / FLOATS.fixture, threads)


def folder(options):
    return options.fixtures / "mnist_128_int8" / "mnist_riscv" / "1"


class QuantizedWorkload:
    title = TITLE
    fixture = "mnist_128_int8"
    peers = {FLOAT_NNRUN: Model("last")} | {name: FloatPeer(peer) for name, peer in FLOATS.peers.items()}

    @staticmethod
    def rows():
        for batch in FLOATS.inference:
            yield "inference", str(batch), f"infer, batch {batch}"

    @staticmethod
    def demand_agreement(options):
        """Trains for an epoch and makes integers of it, which must say the same of the test set as floats do."""
        runs = folder(options).parent.parent
        shutil.rmtree(runs, ignore_errors=True)
        running.run([options.nnrun, CONFIG, "train.epochs=1", "quantize=[int8]", f"run.folder={runs}"], {})
        (made,) = json.loads((folder(options) / "quantization.json").read_text())
        share = len(made["changed"]) / made["quantized"]["samples"]
        if share > MOST_CHANGED:
            raise running.Failure(f"int8 changes {100 * share:.1f} % of the predictions: not timed")

    @staticmethod
    def measure_nnrun(options, threads):
        return Model("int8").measure(options, None, threads)
