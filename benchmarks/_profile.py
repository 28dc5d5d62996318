"""Profiles of the event loop's thread and of the storage writer's, apart: `loop.prof` and `writer.prof` in a folder."""

import cProfile
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any


class Profiles:
    """Measures every thread that begins within, each for itself; what the writer's thread is called is its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = cProfile.Profile()
        self._threads: list[tuple[str, cProfile.Profile]] = []

    def __enter__(self) -> None:
        threading.setprofile(self._begin)
        self._loop.enable()

    def _begin(self, _frame: FrameType, _event: str, _argument: Any) -> None:
        """The first thing that happens in a new thread: from now on its own profile takes over."""
        profile = cProfile.Profile()
        self._threads.append((threading.current_thread().name, profile))
        sys.setprofile(None)
        profile.enable()

    def __exit__(self, *_: object) -> None:
        self._loop.disable()
        threading.setprofile(None)
        self._loop.dump_stats(self._folder / "loop.prof")
        for number, (name, profile) in enumerate(self._threads):
            profile.dump_stats(self._folder / f"{name.replace('/', '-')}-{number}.prof")
