"""Files of lines that only grow: each line is on disk when its writer goes on, and one that was cut off harms no other."""

import os
from collections.abc import Iterable
from pathlib import Path


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Add the lines, on disk when this returns. A last line that a full disk has cut off is ended before."""
    data = "".join(f"{line}\n" for line in lines).encode()
    with path.open("ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            data = data if file.read(1) == b"\n" else b"\n" + data
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
