#!/usr/bin/python3
"""The reference model: configs/mnist_mlp*.yaml in NumPy, from the same random numbers, for reading and for comparing.

    mnist_mlp.py --data DIR --optimizer adam                      train 25 epochs, test
    mnist_mlp.py --data DIR --losses losses.json --batches 200    write the first batches' losses
    mnist_mlp.py --data DIR --divergence 200 --golden FILE        float32 beside float64: how far rounding alone drifts
    mnist_mlp.py --compare runs/mnist_mlp/1/metrics.jsonl --golden tests/golden/mnist_mlp_adam.json
    mnist_mlp.py --data DIR --table accuracies.json               all optimizers, seeds 42 to 46

DIR holds the four files of MNIST, *-ubyte.gz; without --data it is $NNRUN_DATA/mnist, or datasets/mnist.

The network is 784-256-128-64-10 with ReLU between, the loss the batch's mean softmax cross-entropy, the batch 64 (the
last one of an epoch, 32, is kept). Weights start he_uniform, biases at zero. The rate of epoch e is rate * 0.97^e.
"""

import argparse
import gzip
import json
import os
import pathlib
import sys
import time

# These override OpenBLAS' own choice of kernels and must go before NumPy loads it; one thread is quickest at batch 64
# on most machines, and gives the same bits everywhere that the kernels are the same.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy

import philox

BATCH = 64
EPOCHS = 25
RATE_DECAY = 0.97
DENSE_LAYERS = {1: (784, 256), 3: (256, 128), 5: (128, 64), 7: (64, 10)}  # index in the config's list: (in, out)
VALIDATION = slice(9000, 10000)  # of the test images, as the original does: validation and test overlap


def read_idx(path):
    """An IDX file: two zero bytes, the type (8: unsigned byte), the rank, big-endian dimensions, the data."""
    raw = gzip.decompress(pathlib.Path(path).read_bytes())
    assert raw[:3] == b"\0\0\x08", f"{path} is not an IDX file of bytes"
    dimensions = numpy.frombuffer(raw, ">u4", raw[3], offset=4)
    return numpy.frombuffer(raw, numpy.uint8, offset=4 + 4 * raw[3]).reshape(dimensions)


def read_mnist(folder):
    """((images, labels) to train, (images, labels) to test); images are (N, 784) bytes."""
    folder = pathlib.Path(folder)
    return [
        (
            read_idx(folder / f"{part}-images-idx3-ubyte.gz").reshape(-1, 784),
            read_idx(folder / f"{part}-labels-idx1-ubyte.gz").astype(numpy.int64),
        )
        for part in ("train", "t10k")
    ]


def scaled(pixels, dtype):
    """Pixels times float32(1 / 255), rounded to float32 whatever the dtype: both precisions see the same inputs."""
    return (pixels.astype(numpy.float32) * numpy.float32(1.0 / 255.0)).astype(dtype, copy=False)


class Network:
    """Weights are (in, out), so y = x w + b. `weights` and `gradients` run w, b, w, b, ... from the first layer."""

    def __init__(self, seed, dtype, generator=philox.uniform, noise=None, dense_layers=None):
        self.noise = noise  # a NumPy generator: stands for sums that run in another order
        self.weights = []
        for layer, (inputs, outputs) in (dense_layers or DENSE_LAYERS).items():
            w = philox.he_uniform(seed, layer, 0, inputs, (inputs, outputs), generator)
            self.weights += [w.astype(dtype), numpy.zeros(outputs, dtype)]
        self.gradients = [numpy.empty_like(w) for w in self.weights]

    def forward(self, x):
        """The input of each dense layer, then the logits."""
        activations = [x]
        for i in range(0, len(self.weights), 2):
            y = activations[-1] @ self.weights[i]
            if self.noise is not None:
                y += rounding_noise(self.noise, activations[-1], self.weights[i])
            y += self.weights[i + 1]
            if i + 2 < len(self.weights):
                numpy.maximum(y, 0, out=y)
            activations.append(y)
        return activations

    def step(self, x, labels):
        """Fills the gradients for one batch and returns its mean loss."""
        activations = self.forward(x)
        loss, dy = softmax_cross_entropy(activations[-1], labels)
        for i in range(len(self.weights) - 2, -1, -2):
            layer_input = activations[i // 2]
            numpy.matmul(layer_input.T, dy, out=self.gradients[i])
            numpy.sum(dy, axis=0, out=self.gradients[i + 1])
            if i > 0:
                dy = dy @ self.weights[i].T
                dy *= layer_input > 0  # through the ReLU that made this layer's input
        return loss

    def accuracy(self, pixels, labels):
        right = 0
        for start in range(0, len(pixels), 1000):
            rows = slice(start, start + 1000)
            logits = self.forward(scaled(pixels[rows], self.weights[0].dtype))[-1]
            right += int((logits.argmax(axis=1) == labels[rows]).sum())
        return right / len(pixels)


def rounding_noise(noise, x, w):
    """Somewhat more than the rounding of x w in float32, which measures 0.1 * 2^-23 of the two vectors' lengths
    (standard deviation, for OpenBLAS, for permuted sums and for a plain loop alike); this is 0.14, and adds to it."""
    lengths = numpy.outer(numpy.linalg.norm(x, axis=1), numpy.linalg.norm(w, axis=0))
    return (lengths * noise.uniform(-(2.0**-25), 2.0**-25, lengths.shape)).astype(w.dtype)


def softmax_cross_entropy(logits, labels):
    """The batch's mean loss, and its gradient (softmax - onehot) / batch."""
    rows = numpy.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponentials = numpy.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    losses = numpy.log(sums[:, 0]) - shifted[rows, labels]
    gradient = exponentials / sums
    gradient[rows, labels] -= 1
    gradient *= logits.dtype.type(1.0 / len(labels))
    return float(losses.mean()), gradient


# Optimizers: the formulas of core/include/nnrun/kernels.h. Constants are rounded to float32 first, as nnrun's are, also
# when the arithmetic is float64: then the two precisions differ by the rounding of arithmetic and nothing else. Adam's
# corrections are made of the rounded betas, in double: 1 - 0.999 is off by 1.3e-5 in float32, and the correction has to fit that.


class Sgd:
    rate = 0.005

    def __init__(self, weights):
        pass

    def update(self, weights, gradients, rate):
        for w, g in zip(weights, gradients):
            w -= rate * g


class Momentum:
    rate = 0.001
    beta = 0.95

    def __init__(self, weights):
        self.velocity = [numpy.zeros_like(w) for w in weights]

    def update(self, weights, gradients, rate):
        beta = rounded(self.beta, rate.dtype)
        for w, v, g in zip(weights, self.velocity, gradients):
            v *= beta
            v += g
            w -= rate * v


class Adam:
    rate = 0.0005
    beta1, beta2, epsilon = 0.9, 0.999, 1e-7

    def __init__(self, weights):
        self.mean = [numpy.zeros_like(w) for w in weights]
        self.square = [numpy.zeros_like(w) for w in weights]
        self.steps = 0

    def update(self, weights, gradients, rate):
        dtype = rate.dtype
        self.steps += 1
        beta1, beta2, epsilon = (rounded(c, dtype) for c in (self.beta1, self.beta2, self.epsilon))
        correction1 = rounded(1.0 / (1.0 - float(beta1) ** self.steps), dtype)
        correction2 = rounded(1.0 / (1.0 - float(beta2) ** self.steps), dtype)
        for w, m, v, g in zip(weights, self.mean, self.square, gradients):
            m *= beta1
            m += (1 - beta1) * g
            v *= beta2
            v += (1 - beta2) * (g * g)
            denominator = v * correction2
            numpy.sqrt(denominator, out=denominator)
            denominator += epsilon
            step = m * correction1
            step *= rate
            step /= denominator
            w -= step


OPTIMIZERS = {"sgd": Sgd, "momentum": Momentum, "adam": Adam}


def rounded(constant, dtype):
    return numpy.dtype(dtype).type(numpy.float32(constant))


class Training:
    def __init__(self, data, optimizer, seed, dtype, generator=philox.uniform, noise=None):
        self.pixels, self.labels = data
        self.seed = seed
        self.dtype = numpy.dtype(dtype)
        self.network = Network(seed, self.dtype, generator, noise)
        self.optimizer = OPTIMIZERS[optimizer](self.network.weights)

    def epoch(self, number):
        """Trains one epoch, yielding each batch's loss."""
        rate = rounded(self.optimizer.rate * RATE_DECAY**number, self.dtype)
        order = philox.shuffled(self.seed, number, len(self.pixels))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            loss = self.network.step(scaled(self.pixels[rows], self.dtype), self.labels[rows])
            self.optimizer.update(self.network.weights, self.network.gradients, rate)
            yield loss

    def first_losses(self, count):
        losses = []
        number = 0
        while len(losses) < count:
            for loss in self.epoch(number):
                losses.append(loss)
                if len(losses) == count:
                    break
            number += 1
        return losses


def train(data, optimizer, seed, epochs, dtype, generator=philox.uniform, batches=0, quiet=False):
    training_data, (test_pixels, test_labels) = data
    training = Training(training_data, optimizer, seed, dtype, generator)
    network = training.network
    losses, validation = [], []
    start = time.perf_counter()
    for epoch in range(epochs):
        epoch_losses = list(training.epoch(epoch))
        losses += epoch_losses[: max(0, batches - len(losses))]
        validation.append(network.accuracy(test_pixels[VALIDATION], test_labels[VALIDATION]))
        if not quiet:
            print(f"epoch {epoch + 1}: mean loss {numpy.mean(epoch_losses):.5f}, validation {validation[-1]:.4f}", flush=True)
    seconds = time.perf_counter() - start
    test = network.accuracy(test_pixels, test_labels)
    if not quiet:
        rate = epochs * len(training_data[0]) / seconds
        print(f"test accuracy {test:.4f} of {len(test_pixels)}; {seconds:.1f} s, {rate:.0f} samples/s with the evaluations")
    return {"test": test, "validation": validation, "losses": losses}


def write_table(data, path, seeds, epochs):
    """Final accuracies of every optimizer and seed: what nnrun's own runs should scatter around."""
    table = {}
    for optimizer in OPTIMIZERS:
        table[optimizer] = {}
        for seed in seeds:
            result = train(data, optimizer, seed, epochs, "float32", quiet=True)
            table[optimizer][str(seed)] = {"test": result["test"], "validation": result["validation"][-1]}
            print(optimizer, seed, table[optimizer][str(seed)], flush=True)
    command = f"tools/reference/mnist_mlp.py --table {pathlib.Path(path).name} --epochs {epochs}"
    document = {"command": command, "epochs": epochs, "dtype": "float32", "accuracy_of_last_weights": table}
    pathlib.Path(path).write_text(json.dumps(document, indent=2) + "\n")


NOISY_RUNS = 12


def tolerances(losses, divergence):
    """What nnrun's losses may differ by: thrice the largest divergence up to that batch, and at least three units in the
    last place of the loss."""
    units = numpy.spacing(numpy.array(losses, numpy.float32)).astype(numpy.float64)
    return numpy.maximum(3 * numpy.maximum.accumulate(divergence), 3 * units)


def write_divergence(data, optimizer, seed, batches, path):
    """How far rounding alone drives the losses: float32 against float64.

    One run in float32 shows too little. Rounding stays near 1e-7 until it makes the first ReLU of a near-zero input flip;
    then the losses part by orders of magnitude, at a batch that depends on the order of the sums. So several runs
    with noise of rounding's size are made, and each batch's divergence is the largest of theirs and of the plain run's.
    """
    losses = Training(data[0], optimizer, seed, "float32").first_losses(batches)
    exact = Training(data[0], optimizer, seed, "float64").first_losses(batches)
    plain = numpy.abs(numpy.subtract(losses, exact))
    divergence = plain
    for run in range(NOISY_RUNS):
        noisy = Training(data[0], optimizer, seed, "float32", noise=numpy.random.default_rng(run))
        divergence = numpy.maximum(divergence, numpy.abs(numpy.subtract(noisy.first_losses(batches), exact)))
    allowed = tolerances(losses, divergence)
    for i in range(0, batches, max(1, batches // 10)):
        print(
            f"batch {i}: loss {losses[i]:.7f}, |loss32 - loss64| {plain[i]:.2e},"
            f" with noise {divergence[i]:.2e}, tolerance {allowed[i]:.2e}"
        )
    if path:
        document = {
            "about": "losses of the first batches, and what another float32 implementation's may differ by",
            "made_by": f"tools/reference/mnist_mlp.py --optimizer {optimizer} --seed {seed} --divergence {batches}",
            "numpy": numpy.__version__,
            "seed": seed,
            "losses": [float(f"{loss:.9g}") for loss in losses],
            "divergence_float32": [float(f"{value:.3g}") for value in plain],
            "divergence": [float(f"{value:.3g}") for value in divergence],
            "tolerances": [float(f"{value:.3g}") for value in allowed],
        }
        rows = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
        pathlib.Path(path).write_text("{\n" + rows + "\n}\n")


def compare(metrics, golden_path):
    """Holds the batch rows of nnrun's metrics.jsonl against a golden file; true if every loss is within tolerance."""
    golden = json.loads(pathlib.Path(golden_path).read_text())
    rows = [json.loads(line) for line in pathlib.Path(metrics).read_text().splitlines()]
    for row in rows:
        if row.get("event") == "start" and (row.get("data"), row.get("seed")) != ("real", golden["seed"]):
            print(f"that run had {row.get('data')} data and seed {row.get('seed')}; golden is MNIST, seed {golden['seed']}")
            return False
    got = [row["loss"] for row in rows if row.get("event") == "batch"]
    count = min(len(got), len(golden["losses"]))
    shares = [abs(a - b) / t for a, b, t in zip(got, golden["losses"], golden["tolerances"])]
    outside = [batch for batch, share in enumerate(shares) if not share <= 1]
    for batch in outside[:10]:
        expected, tolerance = golden["losses"][batch], golden["tolerances"][batch]
        print(f"batch {batch}: got {got[batch]:.7f}, expected {expected:.7f} within {tolerance:.2e}")
    print(f"{count - len(outside)} of {count} batches are within tolerance; the worst took {max(shares, default=0):.2f} of it")
    return count > 0 and not outside


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder with MNIST's four files")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="adam")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--generator", choices=("philox", "lcg"), default="philox", help="of the first weights")
    parser.add_argument("--losses", metavar="FILE", help="write the first batches' losses as a JSON list")
    parser.add_argument("--batches", type=int, default=200, help="how many for --losses")
    parser.add_argument("--divergence", metavar="N", type=int, help="float32 beside float64 for N batches, tolerances")
    parser.add_argument("--golden", metavar="FILE", help="written by --divergence, read by --compare")
    parser.add_argument("--compare", metavar="METRICS", help="a metrics.jsonl of nnrun, against --golden")
    parser.add_argument("--table", metavar="FILE", help="train every optimizer with --seeds; write the accuracies")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44, 45, 46])
    arguments = parser.parse_args()

    if arguments.compare:
        if not arguments.golden:
            parser.error("--compare needs --golden")
        return 0 if compare(arguments.compare, arguments.golden) else 1
    data = read_mnist(arguments.data or pathlib.Path(os.environ.get("NNRUN_DATA", "datasets")) / "mnist")
    if arguments.divergence:
        write_divergence(data, arguments.optimizer, arguments.seed, arguments.divergence, arguments.golden)
    elif arguments.table:
        write_table(data, arguments.table, arguments.seeds, arguments.epochs)
    else:
        generator = {"philox": philox.uniform, "lcg": philox.lcg_uniform}[arguments.generator]
        batches = arguments.batches if arguments.losses else 0
        result = train(
            data, arguments.optimizer, arguments.seed, arguments.epochs, arguments.dtype, generator, batches
        )
        if arguments.losses:
            pathlib.Path(arguments.losses).write_text(json.dumps(result["losses"]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
