"""One `apply` as a process of its own, for tests that kill it: `python -m tests.end_to_end.applying PROJECT`."""

from __future__ import annotations

import sys
from pathlib import Path

from connector.bootstrap import open_project
from connector.errors import DunwellError
from connector.service.deliver import deliver
from connector.service.lookup import selected


def main(folder: str) -> int:
    """Deliver what is due; 0 = the round ended, 1 = it did not start or stopped early."""
    with open_project(Path(folder), who="Ben") as w:
        try:
            stopped = deliver(w, selected(w, None)[0]).stopped
        except DunwellError as error:
            stopped = error
    if stopped is not None:
        sys.stderr.write(f"{type(stopped).__name__}: {stopped}\n")
    return int(stopped is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
