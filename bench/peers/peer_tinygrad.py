"""tinygrad through its OpenCL runtime, so on the same device as Setosa's kernels; the step is captured by its JIT."""

import os

os.environ.setdefault("DEV", "CL")
import numpy as np  # noqa: E402  (the device is chosen at import)
from importlib.metadata import version  # noqa: E402
from tinygrad import Device, Tensor, TinyJit  # noqa: E402
from worker import Unsupported  # noqa: E402

VERSION = f"tinygrad {version('tinygrad')} on {Device.DEFAULT}"


class Step:
    def __init__(self, X, y, W, b, l2, threads, device):
        if Device.DEFAULT != "CL":
            raise Unsupported(f"it found no OpenCL device and would run on {Device.DEFAULT}")
        self.X, self.y = Tensor(np.ascontiguousarray(X)).realize(), Tensor(np.ascontiguousarray(y)).realize()

        @TinyJit
        def evaluate(weights, bias):
            loss = (self.X @ weights.T + bias).sparse_categorical_crossentropy(self.y) + (weights * weights).sum() * (l2 / 2)
            dW, db = loss.gradient(weights, bias)
            Tensor.realize(loss, dW, db)
            return loss, dW, db

        self.evaluate = evaluate
        self.place(W, b)

    def place(self, W, b):
        self.parameters = (Tensor(np.ascontiguousarray(W)).realize(), Tensor(np.ascontiguousarray(b)).realize())

    def __call__(self):
        self.result = self.evaluate(*self.parameters)
        Device[Device.DEFAULT].synchronize()

    def read(self):
        loss, dW, db = self.result
        return loss.item(), dW.numpy(), db.numpy()
