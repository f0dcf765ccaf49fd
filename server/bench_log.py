"""Appends what `make bench` measured to docs/LOG.md: date, commit, device, and the figures of each report."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def entry(reports: Mapping[str, Mapping[str, Any]], *, day: str, commit: str, device: str) -> str:
    """One entry of the log in Markdown; rows of single facts and questions are left out, runs at one
    concurrency each are not."""
    lines = [f"## {day} bench at {commit}", "", f"On {device}.", ""]
    for name, report in sorted(reports.items()):
        figures = (f"{key} {_told(value)}" for key, value in report.items() if not isinstance(value, (list, dict)))
        lines.append(f"- **{name}**: {', '.join(figures)}")
        lines += [f"  - {key}: {json.dumps(value)}" for key, value in report.items() if isinstance(value, dict)]
        lines += [f"  - {json.dumps(run)}" for run in report.get("runs", ())]
    return "\n".join(lines) + "\n"


def this_device() -> str:
    """The processor and the number of its cores, and the GPU if there is one."""
    import torch

    model = next(
        (line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")),
        platform.machine(),
    )
    cpus = f"{torch.get_num_threads()} cores of {model}"
    return f"{torch.cuda.get_device_name()}, {cpus}" if torch.cuda.is_available() else cpus


def _told(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.is_file() else []


def main(folder: Path, log: Path) -> None:
    """Append an entry made of every `*.json` in `folder`."""
    reports = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    text = entry(reports, day=f"{datetime.now(UTC):%Y-%m-%d}", commit=commit.stdout.strip(), device=this_device())
    with log.open("a", encoding="utf-8") as stream:
        stream.write("\n" + text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
