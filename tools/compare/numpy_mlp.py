#!/usr/bin/python3
"""NumPy at its best: no array is allocated in a step, weights and gradients lie in two flat buffers, and the optimizers
go over those in pieces that stay in L2. The environment (OPENBLAS_NUM_THREADS) comes from compare.py."""

import numpy

import measuring
from agreement import demand_agreement
from fixture import BATCH, SAMPLES, STEPS, Fixture, reference

PIECE = 32768  # floats: Adam's five arrays of this length take 640 KB


def views(flat, sizes):
    """The flat buffer as w, b, w, b, ..."""
    result, start = [], 0
    for inputs, outputs in zip(sizes, sizes[1:]):
        for shape in ((inputs, outputs), (outputs,)):
            end = start + int(numpy.prod(shape))
            result.append(flat[start:end].reshape(shape))
            start = end
    return result


class Network:
    def __init__(self, fixture, batch=BATCH):
        sizes, self.last = fixture.sizes, fixture.last
        self.flat = fixture.flat_weights.copy()
        self.flat_gradient = numpy.zeros_like(self.flat)
        self.weights, self.gradients = views(self.flat, sizes), views(self.flat_gradient, sizes)
        buffers = lambda: [numpy.empty((batch, size), numpy.float32) for size in sizes]
        self.y, self.dy = buffers(), buffers()
        self.alive = [numpy.empty((batch, size), bool) for size in sizes]
        self.rows = numpy.arange(batch)

    def forward(self, x):
        self.y[0] = x
        for i in range(self.last + 1):
            y = self.y[i + 1]
            numpy.dot(self.y[i], self.weights[2 * i], out=y)
            numpy.add(y, self.weights[2 * i + 1], out=y)
            if i < self.last:
                numpy.maximum(y, 0, out=y)
        return self.y[-1]

    def gradient(self, x, labels):
        logits = self.forward(x)
        dy = self.dy[-1]
        numpy.subtract(logits, logits.max(axis=1, keepdims=True), out=dy)
        right = dy[self.rows, labels]
        numpy.exp(dy, out=dy)
        sums = dy.sum(axis=1, keepdims=True)
        loss = (numpy.log(sums[:, 0]) - right).mean()
        numpy.divide(dy, sums * numpy.float32(BATCH), out=dy)
        dy[self.rows, labels] -= numpy.float32(1 / BATCH)
        for i in range(self.last, -1, -1):
            numpy.dot(self.y[i].T, self.dy[i + 1], out=self.gradients[2 * i])
            numpy.add.reduce(self.dy[i + 1], axis=0, out=self.gradients[2 * i + 1])
            if i:
                numpy.dot(self.dy[i + 1], self.weights[2 * i].T, out=self.dy[i])
                numpy.greater(self.y[i], 0, out=self.alive[i])
                numpy.multiply(self.dy[i], self.alive[i], out=self.dy[i])
        return loss


class Trainer:
    def __init__(self, fixture, optimizer):
        self.fixture, self.network = fixture, Network(fixture)
        self.update = getattr(self, optimizer)
        self.rate = numpy.float32(reference.OPTIMIZERS[optimizer].rate)
        size = self.network.flat.size
        self.mean, self.square = (numpy.zeros(size, numpy.float32) for _ in range(2))
        self.scratch = numpy.empty(PIECE, numpy.float32)
        self.pieces = [slice(start, min(start + PIECE, size)) for start in range(0, size, PIECE)]
        self.steps = 0

    def step(self, i):
        loss = self.network.gradient(*self.fixture.batch(i % (SAMPLES // BATCH)))
        self.steps += 1
        self.update()
        return loss

    def sgd(self):
        for piece in self.pieces:
            w, g = self.network.flat[piece], self.network.flat_gradient[piece]
            g *= self.rate
            w -= g

    def momentum(self):
        beta = numpy.float32(reference.Momentum.beta)
        for piece in self.pieces:
            w, g, v = self.network.flat[piece], self.network.flat_gradient[piece], self.mean[piece]
            v *= beta
            v += g
            numpy.multiply(v, self.rate, out=g)
            w -= g

    def adam(self):
        # w -= rate c1 m / (sqrt(c2 v) + e) = (rate c1 / sqrt(c2)) m / (sqrt(v) + e / sqrt(c2)): two passes fewer
        constants = reference.Adam
        beta1, beta2 = numpy.float32(constants.beta1), numpy.float32(constants.beta2)
        root = (1 - constants.beta2**self.steps) ** 0.5
        epsilon = numpy.float32(constants.epsilon * root)
        rate = numpy.float32(constants.rate * root / (1 - constants.beta1**self.steps))
        for piece in self.pieces:
            w, g = self.network.flat[piece], self.network.flat_gradient[piece]
            m, v = self.mean[piece], self.square[piece]
            scratch = self.scratch[: w.size]
            numpy.multiply(g, g, out=scratch)
            scratch *= 1 - beta2
            v *= beta2
            v += scratch
            g *= 1 - beta1
            m *= beta1
            m += g
            numpy.sqrt(v, out=scratch)
            scratch += epsilon
            numpy.divide(m, scratch, out=scratch)
            scratch *= rate
            w -= scratch


def main():
    arguments = measuring.parser().parse_args()
    fixture = Fixture(arguments.fixture)
    off = demand_agreement("logits", Network(fixture, 1024).forward(fixture.samples[:1024]), fixture.logits)
    train, inference = {}, {}
    for optimizer in fixture.losses:
        trainer = Trainer(fixture, optimizer)
        losses = [trainer.step(i) for i in range(STEPS)]
        off = max(off, demand_agreement(f"loss with {optimizer}", losses, fixture.losses[optimizer]))
        train[optimizer] = BATCH * measuring.calls_per_second(trainer.step, arguments.seconds)
    for batch in fixture.inference_batches:
        network = Network(fixture, batch)
        call = lambda i: network.forward(fixture.samples[:batch])
        inference[batch] = batch * measuring.calls_per_second(call, arguments.seconds)
    measuring.report("numpy", arguments.threads, {"numpy": numpy.__version__}, train, inference, off)


if __name__ == "__main__":
    main()
