"""What every peer of the dense nets starts from: the same weights, samples and labels, and what the reference model makes of them.

The files are raw little-endian arrays, so that a peer in any language reads them in one line:

    sizes.i32             of the layers, from the input on
    weights.f32           w, b, w, b, ... of the dense layers, w as (in, out)
    samples.f32           (4096, 784): 64 batches, about 13 MB, so that a batch is read from beyond L2 as in training
    labels.i32            (4096)
    logits.f32            (1024, 10): of the first samples
    inference_batches.i32 what is to be timed
    losses_OPTIMIZER.f32  (8): of the first steps, batch 64; for those optimizers that are to be timed

Expected values are computed in float64 by tools/reference/mnist_mlp.py.
"""

import pathlib
import sys
import typing

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "reference"))
import mnist_mlp as reference
import philox

BATCH = 64
SAMPLES = 64 * BATCH
STEPS = 8
LOGITS = 1024
OPTIMIZERS = tuple(reference.OPTIMIZERS)


class Net(typing.NamedTuple):
    sizes: tuple
    optimizers: tuple
    inference_batches: tuple


NETS = {
    "mnist_mlp": Net((784, 256, 128, 64, 10), OPTIMIZERS, (1, 16, 64, 1024)),
    "mnist_128": Net((784, 128, 10), (), (1, 64)),
}


def drawn_samples():
    """Ten drawn prototypes with noise. A tenth of the labels is wrong, so that gradients never vanish (numbers too
    small to be normal would slow some peers down, which real training does not do to them)."""
    draw = lambda major, count: philox.words(42, philox.STREAM_DATASET, major, 0, count)
    prototypes = philox.to_uniform(draw(0, 10 * 784)).reshape(10, 784) ** 2
    noise = philox.to_uniform(draw(1, SAMPLES * 784)).reshape(SAMPLES, 784)
    truth = ((draw(2, SAMPLES) * numpy.uint64(10)) >> numpy.uint64(32)).astype(numpy.int32)
    other = ((draw(3, SAMPLES) * numpy.uint64(10)) >> numpy.uint64(32)).astype(numpy.int32)
    labels = numpy.where(philox.to_uniform(draw(4, SAMPLES)) < 0.1, other, truth).astype(numpy.int32)
    samples = numpy.float32(0.5) * prototypes[truth] + numpy.float32(0.5) * noise
    return samples.astype(numpy.float32), labels


def make(net, folder):
    folder.mkdir(parents=True, exist_ok=True)
    numpy.array(net.sizes, numpy.int32).tofile(folder / "sizes.i32")
    numpy.array(net.inference_batches, numpy.int32).tofile(folder / "inference_batches.i32")
    samples, labels = drawn_samples()
    samples.tofile(folder / "samples.f32")
    labels.tofile(folder / "labels.i32")
    # A layer of ReLU between two dense ones, and flatten in front.
    layers = {2 * i + 1: shape for i, shape in enumerate(zip(net.sizes, net.sizes[1:]))}
    make_network = lambda: reference.Network(42, numpy.float64, dense_layers=layers)
    network = make_network()
    numpy.concatenate([w.reshape(-1) for w in network.weights]).astype(numpy.float32).tofile(folder / "weights.f32")
    exact = samples.astype(numpy.float64)
    network.forward(exact[:LOGITS])[-1].astype(numpy.float32).tofile(folder / "logits.f32")
    for name in net.optimizers:
        network = make_network()
        optimizer = reference.OPTIMIZERS[name](network.weights)
        rate = reference.rounded(optimizer.rate, numpy.float64)
        losses = []
        for step in range(STEPS):
            rows = slice(step * BATCH, (step + 1) * BATCH)
            losses.append(network.step(exact[rows], labels[rows]))
            optimizer.update(network.weights, network.gradients, rate)
        numpy.array(losses, numpy.float32).tofile(folder / f"losses_{name}.f32")


class Fixture:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        read = lambda name, dtype=numpy.float32: numpy.fromfile(folder / name, dtype)
        self.sizes = read("sizes.i32", numpy.int32).tolist()
        self.inference_batches = read("inference_batches.i32", numpy.int32).tolist()
        self.samples = read("samples.f32").reshape(SAMPLES, 784)
        self.labels = read("labels.i32", numpy.int32)
        self.flat_weights = read("weights.f32")
        self.logits = read("logits.f32").reshape(LOGITS, 10)
        files = {name: folder / f"losses_{name}.f32" for name in OPTIMIZERS}
        self.losses = {name: read(file.name) for name, file in files.items() if file.exists()}

    @property
    def last(self):
        """The last dense layer's index."""
        return len(self.sizes) - 2

    def batch(self, number):
        rows = slice(number * BATCH, (number + 1) * BATCH)
        return self.samples[rows], self.labels[rows]


if __name__ == "__main__":
    for net_name, net in NETS.items():
        make(net, pathlib.Path(sys.argv[1]) / net_name)
