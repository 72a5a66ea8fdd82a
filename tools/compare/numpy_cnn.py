#!/usr/bin/python3
"""NumPy on configs/catdog_cnn.yaml: convolutions as products with gathered windows, no array allocated in a step, dense gradients.
Training alone, a few steps. The environment (OPENBLAS_NUM_THREADS) comes from compare.py."""

import pathlib

import numpy

import measuring
from agreement import demand_agreement

BATCH, RATE, STEPS = 16, numpy.float32(0.01), 4
SHAPES = ((128, 3, 32), (64, 32, 64), (32, 64, 128))  # (pixels, channels, filters)


class Convolution:
    """3x3, ReLU and 2x2 max-pool."""

    def __init__(self, pixels, channels, filters, w, b):
        empty = lambda *shape: numpy.zeros(shape, numpy.float32)
        self.w, self.b = w.reshape(filters, 9 * channels), b
        self.x = empty(BATCH, pixels + 2, pixels + 2, channels)  # with a border of zeros
        self.windows = empty(BATCH, pixels, pixels, 3, 3, channels)
        self.y, self.dy = empty(BATCH, pixels, pixels, filters), empty(BATCH, pixels, pixels, filters)
        self.pooled = empty(BATCH, pixels // 2, pixels // 2, filters)
        self.dx = empty(BATCH, pixels + 2, pixels + 2, channels)
        # The four places of each pool's window.
        self.corners = [(slice(None), slice(i, None, 2), slice(j, None, 2)) for i in (0, 1) for j in (0, 1)]

    def forward(self, x):
        self.x[:, 1:-1, 1:-1] = x
        size = self.y.shape[1]
        for i in range(3):
            for j in range(3):
                self.windows[:, :, :, i, j] = self.x[:, i : i + size, j : j + size]
        rows = self.windows.reshape(-1, self.w.shape[1])
        numpy.dot(rows, self.w.T, out=self.y.reshape(len(rows), -1))
        self.y += self.b
        first, *others = (self.y[corner] for corner in self.corners)
        numpy.maximum(first, others[0], out=self.pooled)
        for other in others[1:]:
            numpy.maximum(self.pooled, other, out=self.pooled)
        numpy.maximum(self.pooled, 0, out=self.pooled)
        return self.pooled

    def backward(self, pooled_gradient, needs_dx):
        gradient = numpy.where(self.pooled > 0, pooled_gradient, numpy.float32(0))
        for corner in self.corners:  # drawn samples have no ties
            self.dy[corner] = numpy.where(self.y[corner] == self.pooled, gradient, numpy.float32(0))
        rows = self.dy.reshape(-1, len(self.w))
        windows = self.windows.reshape(len(rows), -1)
        dw, db = rows.T @ windows, gradient.sum((0, 1, 2))
        if needs_dx:
            size = self.y.shape[1]
            numpy.dot(rows, self.w, out=windows)  # the windows' gradients in their place
            self.dx[...] = 0
            for i in range(3):
                for j in range(3):
                    self.dx[:, i : i + size, j : j + size] += self.windows[:, :, :, i, j]
        self.w -= RATE * dw
        self.b -= RATE * db
        return self.dx[:, 1:-1, 1:-1]


class Network:
    def __init__(self, flat):
        self.start = 0

        def take(*shape):
            begin, self.start = self.start, self.start + int(numpy.prod(shape))
            return flat[begin : self.start].reshape(shape).copy()

        self.convolutions = [Convolution(p, c, f, take(f, 9 * c), take(f)) for p, c, f in SHAPES]
        self.dense = [[take(32768, 128), take(128)], [take(128, 1), take(1)]]

    def step(self, x, labels):
        for convolution in self.convolutions:
            x = convolution.forward(x)
        (w1, b1), (w2, b2) = self.dense
        flat = x.reshape(BATCH, -1)
        hidden = numpy.maximum(flat @ w1 + b1, 0)
        logits = (hidden @ w2 + b2)[:, 0]
        loss = (numpy.logaddexp(0, logits) - labels * logits).mean()
        d_logits = ((1 / (1 + numpy.exp(-logits)) - labels) / BATCH).astype(numpy.float32)[:, None]
        d_hidden = (d_logits @ w2.T) * (hidden > 0)
        dx = (d_hidden @ w1.T).reshape(x.shape)
        w2 -= RATE * (hidden.T @ d_logits)
        b2 -= RATE * d_logits.sum(0)
        w1 -= RATE * (flat.T @ d_hidden)
        b1 -= RATE * d_hidden.sum(0)
        for index in (2, 1, 0):
            dx = self.convolutions[index].backward(dx, index > 0)
        return loss


def main():
    arguments = measuring.parser().parse_args()
    read = lambda name, dtype=numpy.float32: numpy.fromfile(pathlib.Path(arguments.fixture) / name, dtype)
    samples, labels = read("samples.f32").reshape(-1, BATCH, 128, 128, 3), read("labels.i32", numpy.int32).reshape(-1, BATCH)
    network = Network(read("weights.f32"))
    step = lambda i: network.step(samples[i % len(samples)], labels[i % len(labels)])
    off = demand_agreement("loss", [step(i) for i in range(STEPS)], read("losses_sgd.f32"))
    rate = BATCH * measuring.calls_per_second(step, arguments.seconds)
    measuring.report("numpy", arguments.threads, {"numpy": numpy.__version__}, {"sgd": rate}, {}, off)


if __name__ == "__main__":
    main()
