"""PyTorch in eager mode: linear layer, cross-entropy and the penalty on the weights alone, differentiated by autograd. Of sparse rows the linear
layer is two products of its CSR tensors, of X and of X transposed."""

import numpy as np
import torch
from torch.nn import functional

VERSION = f"torch {torch.__version__}"
ROWS = ("dense", "sparse")


class SparseProduct(torch.autograd.Function):
    """X W for sparse rows: autograd has no derivative of it that runs on every build."""

    @staticmethod
    def forward(context, weights, X, X_transposed):
        context.X_transposed = X_transposed
        return X @ weights

    @staticmethod
    def backward(context, gradient):
        return context.X_transposed @ gradient, None, None


def csr_tensor(X, device):
    X = X.tocsr()
    return torch.sparse_csr_tensor(*(torch.from_numpy(part) for part in (X.indptr, X.indices, X.data)), size=X.shape, device=device)


class Step:
    def __init__(self, X, y, W, b, l2, threads, device):
        torch.set_num_threads(threads)
        torch.backends.cuda.matmul.allow_tf32 = False  # f32, as everybody else
        self.device, self.l2 = torch.device(device), l2
        self.sparse = (csr_tensor(X, self.device), csr_tensor(X.T, self.device)) if hasattr(X, "tocsr") else None
        self.X = torch.from_numpy(np.ascontiguousarray(X)).to(self.device) if self.sparse is None else None
        self.y = torch.from_numpy(y).to(self.device, torch.int64)
        self.place(W, b)

    def place(self, W, b):
        self.W = torch.tensor(W if self.sparse is None else W.T.copy(), device=self.device, requires_grad=True)  # sparse: (D,K)
        self.b = torch.tensor(b, device=self.device, requires_grad=True)

    def objective(self):
        z = functional.linear(self.X, self.W, self.b) if self.sparse is None else SparseProduct.apply(self.W, *self.sparse) + self.b
        return functional.cross_entropy(z, self.y) + self.l2 / 2 * self.W.square().sum()

    def by_class(self, weights):
        weights = weights.detach().cpu().numpy()
        return weights if self.sparse is None else weights.T

    def __call__(self):
        self.W.grad = self.b.grad = None
        self.loss = self.objective()
        self.loss.backward()
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def read(self):
        return self.loss.item(), self.by_class(self.W.grad), self.b.grad.cpu().numpy()


def fit(X, y, classes, l2, iterations, threads, device="cpu"):
    """torch.optim.LBFGS with 10 pairs and a strong Wolfe search."""
    step = Step(X, y, np.zeros((classes, X.shape[1]), np.float32), np.zeros(classes, np.float32), l2, threads, device)
    solver = torch.optim.LBFGS(
        [step.W, step.b],
        max_iter=iterations,
        max_eval=4 * iterations,
        history_size=10,
        tolerance_grad=1e-12,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure():
        step()
        return step.loss

    solver.step(closure)
    done = solver.state[solver.param_groups[0]["params"][0]]["n_iter"]
    return step.by_class(step.W), step.b.detach().cpu().numpy(), done
