"""scikit-learn's saga on sparse rows: stochastic average gradients, of which an iteration is a pass over all rows."""

import functools

import peer_sklearn

VERSION = peer_sklearn.VERSION + " saga"
ROWS = ("sparse",)
fit = functools.partial(peer_sklearn.fit, solver="saga", random_state=0)
