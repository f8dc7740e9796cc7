"""One session of a campaign as a program: `session.py DIR N` kills itself with SIGKILL at its N-th result.

With an even N the result was booked just before, with an odd one it is lost.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.campaign.engines import Inline, conducted
from tools.campaign.ledger import Lease
from tools.campaign.store import open_to_write
from tools.campaign.work import Result


class Doomed(Inline):
    """Counts results down; dies with the last."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self._left = left
        self._after = left % 2 == 0

    def submit(self, lease: Lease) -> None:
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)  # the last result is booked
        super().submit(lease)

    def wait(self, seconds: float) -> Sequence[tuple[Lease, Result]]:
        results = super().wait(seconds)
        self._left -= 1
        if not self._left and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        return results


if __name__ == "__main__":
    with open_to_write(Path(sys.argv[1])) as store:
        conducted(store, Doomed(int(sys.argv[2])))
