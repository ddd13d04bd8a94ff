"""Remembers in the build directory which inputs were found good, so that a second run is quick."""

import hashlib
import pathlib


class Cache:
    def __init__(self, build: pathlib.Path, name: str):
        self.folder = build / "tidy" / name

    @staticmethod
    def key(*parts: bytes) -> str:
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(8, "little") + part)
        return digest.hexdigest()[:32]

    def has(self, key: str) -> bool:
        return (self.folder / key).exists()

    def add(self, key: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / key).touch()
