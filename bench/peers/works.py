"""What is computed and compared: the six works (loss and gradient of one evaluation) and the two fits. Standard library only.

The objective is Setosa's: F = 1/N sum_i l_i + (l2/2) ||W||^2, bias free (kernels/README.md). N rows, D features, K classes.
"""

from dataclasses import dataclass

L2 = 1e-4
FIT_ITERATIONS = 300
SEED = 20240001


@dataclass(frozen=True)
class Work:
    name: str
    title: str
    kind: str  # "step": one loss and gradient; "fit": training to the end
    rows: int
    features: int
    classes: int

    def small(self):
        """The same work on few rows and at most 1000 classes: enough to see that a peer is right, not how fast it is."""
        return Work(self.name, self.title, self.kind, min(self.rows, 2000), self.features, min(self.classes, 1000))

    def flops(self):
        return 4.0 * self.rows * self.features * self.classes


WORKS = {
    work.name: work
    for work in (
        Work("W1", "Fashion-MNIST", "step", 60000, 784, 10),
        Work("W2", "tall", "step", 1000000, 32, 3),
        Work("W3", "medium", "step", 200000, 256, 16),
        Work("W4", "wide", "step", 50000, 1024, 100),
        Work("W5", "many classes", "step", 16384, 512, 1000),
        Work("W6", "vocabulary", "step", 4096, 1024, 32000),
        Work("fit", "Fashion-MNIST, 300 L-BFGS iterations", "fit", 60000, 784, 10),
        Work("fit-two", "Fashion-MNIST, class 0 against the rest", "fit", 60000, 784, 2),
    )
}


def bytes_needed(work):
    """What a peer that materialises N x K twice needs at most: X twice (its own copy), logits and their gradient, three (K,D)."""
    return 4 * (2 * work.rows * work.features + 3 * work.rows * work.classes + 3 * work.classes * work.features)
