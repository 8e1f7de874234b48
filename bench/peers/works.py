"""What is computed and compared: the ten works (loss and gradient of one evaluation) and the four fits. Standard library only.

The objective is Setosa's: F = 1/N sum_i l_i + (l2/2) ||W||^2, bias free (kernels/README.md). N rows, D features, K classes.
"""

from dataclasses import dataclass, replace

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
    law: str = ""  # of sparse rows: what `setosa generate` is told beside the shape; "" for dense rows
    entries: int = 0  # of a sparse row

    def small(self):
        """The same work on few rows and at most 1000 classes: enough to see that a peer is right, not how fast it is."""
        return replace(self, rows=min(self.rows, 2000), classes=min(self.classes, 1000))

    def source(self):
        """Made-up data of its shape, as Setosa's command line names it."""
        shape = f"synthetic:rows={self.rows},features={self.features},classes={self.classes}"
        return f"{shape},{self.law}" if self.law else shape

    def values(self):
        """Numbers of all rows: features, or entries."""
        return self.rows * (self.entries if self.law else self.features)

    def flops(self):
        return 4.0 * self.values() * self.classes


WORKS = {
    work.name: work
    for work in (
        Work("W1", "Fashion-MNIST", "step", 60000, 784, 10),
        Work("W2", "tall", "step", 1000000, 32, 3),
        Work("W3", "medium", "step", 200000, 256, 16),
        Work("W4", "wide", "step", 50000, 1024, 100),
        Work("W5", "many classes", "step", 16384, 512, 1000),
        Work("W6", "vocabulary", "step", 4096, 1024, 32000),
        Work("S1", "sparse, small", "step", 20000, 20000, 20, "sparsity=0.997", 60),
        Work("S2", "sparse, as rcv1", "step", 500000, 50000, 50, "sparsity=0.9985", 75),
        Work("S3", "sparse, as hashed criteo", "step", 1000000, 1 << 20, 2, "fields=39", 39),
        Work("S4", "sparse, as news20", "step", 16000, 62000, 20, "sparsity=0.99871", 80),
        Work("fit", "Fashion-MNIST, 300 L-BFGS iterations", "fit", 60000, 784, 10),
        Work("fit-two", "Fashion-MNIST, class 0 against the rest", "fit", 60000, 784, 2),
        Work("fit-sparse", "sparse, as news20, 300 L-BFGS iterations", "fit", 16000, 62000, 20, "sparsity=0.99871", 80),
        Work("fit-sparse-two", "sparse, as hashed criteo, two classes", "fit", 200000, 1 << 17, 2, "fields=39", 39),
    )
}


def bytes_needed(work):
    """What a peer that materialises N x K twice needs at most: X twice (its own copy), logits and their gradient, three (K,D)."""
    values = 8 * work.values() if work.law else 2 * work.values()  # sparse: in double and with columns, by rows and by columns
    return 4 * (values + 3 * work.rows * work.classes + 3 * work.classes * work.features)
