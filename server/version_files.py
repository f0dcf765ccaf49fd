"""Where the tensors of versions lie on disk, and which folders are kept."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from server.settings import Settings

TENSORS = "model.safetensors"


class VersionFiles:
    """Folders `versions/ID`, each with only the tensors that its edits change, ready for the engine to load."""

    def __init__(self, settings: Settings) -> None:
        self._root, self._keep = settings.versions_dir, settings.worker.keep_versions

    def folder(self, version_id: str) -> Path:
        return self._root / version_id

    def has_tensors(self, version_id: str) -> bool:
        """Is the folder complete? Folders appear by rename, so a file in one means that all are there."""
        return (self.folder(version_id) / TENSORS).is_file()

    def delete_if_damaged(self, version_id: str, tensors_sha256: str) -> bool:
        """Delete a version whose tensors cannot be read or do not hash to what is recorded, so that the worker makes it
        again; was it? Without a recorded hash, tensors that can be read are whole."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from editing.edit_set import hash_tensors

        if not self.has_tensors(version_id):
            return False
        try:
            if hash_tensors(load_file(self.folder(version_id) / TENSORS)) == tensors_sha256 or not tensors_sha256:
                return False
        except (OSError, SafetensorError):
            pass
        shutil.rmtree(self.folder(version_id), ignore_errors=True)
        return True

    def clear(self, recorded: Collection[str]) -> None:
        """Delete folders that no record names: half-written ones, and those of a release that was not recorded."""
        for folder in self._root.glob("*"):
            if folder.name not in recorded:
                shutil.rmtree(folder, ignore_errors=True)

    def prune(self, newest_first: list[str], *, needed: set[str]) -> list[str]:
        """Delete the tensors of all but the last few versions and those needed; they can be solved again. Returns the ids."""
        gone = []
        for version_id in newest_first[self._keep :]:
            if version_id not in needed and self.has_tensors(version_id):
                shutil.rmtree(self.folder(version_id))
                gone.append(version_id)
        return gone
