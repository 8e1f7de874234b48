"""PyTorch in eager mode: linear layer, cross-entropy and the penalty on the weights alone, differentiated by autograd."""

import numpy as np
import torch
from torch.nn import functional

VERSION = f"torch {torch.__version__}"


class Step:
    def __init__(self, X, y, W, b, l2, threads, device):
        torch.set_num_threads(threads)
        torch.backends.cuda.matmul.allow_tf32 = False  # f32, as everybody else
        self.device, self.l2 = torch.device(device), l2
        self.X = torch.from_numpy(np.ascontiguousarray(X)).to(self.device)
        self.y = torch.from_numpy(y).to(self.device, torch.int64)
        self.place(W, b)

    def place(self, W, b):
        self.W = torch.tensor(W, device=self.device, requires_grad=True)
        self.b = torch.tensor(b, device=self.device, requires_grad=True)

    def objective(self):
        return functional.cross_entropy(functional.linear(self.X, self.W, self.b), self.y) + self.l2 / 2 * self.W.square().sum()

    def __call__(self):
        self.W.grad = self.b.grad = None
        self.loss = self.objective()
        self.loss.backward()
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def read(self):
        return self.loss.item(), self.W.grad.cpu().numpy(), self.b.grad.cpu().numpy()


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
    return step.W.detach().cpu().numpy(), step.b.detach().cpu().numpy(), done
