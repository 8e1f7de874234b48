"""Ctrl-C while the library works."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interruptible:
    """Within it SIGINT only sets `asked`, which callbacks of the library look at; what SIGINT does otherwise is done at the end.

    An exception of a callback cannot pass through C, so one that a user's function raises is kept by `keep` and raised at the end.
    Python handles signals in its main thread alone; in others this does nothing of that.
    """

    def __init__(self) -> None:
        self.asked = False
        self._problem: BaseException | None = None
        self._before: Any = None

    def keep(self, problem: BaseException) -> None:
        self._problem = self._problem or problem

    @property
    def stop(self) -> bool:
        return self.asked or self._problem is not None

    def _handle(self, _number: int, _frame: Any) -> None:
        self.asked = True

    def __enter__(self) -> Interruptible:
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if callable(before):  # not where it is ignored, or was set by no one that Python knows
                self._before = before
                signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, kind: Any, _problem: Any, _trace: Any) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if self._problem is not None:
            raise self._problem
        if self.asked:
            self._before(signal.SIGINT, None)
