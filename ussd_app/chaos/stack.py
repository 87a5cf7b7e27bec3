"""A running instance of one's own: `mita up` as a process, in a folder that nobody else uses."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from core.config import Settings, variable
from ussd_app.embedded.folder import ROOT, DataFolder, free_port, is_free
from ussd_app.embedded.instance import PYTHON, Instance, is_ready
from ussd_app.embedded.program import Program
from ussd_app.embedded.running import running as begun
from ussd_app.embedded.servers import known

UP_WITHIN_S = 120
DOWN_WITHIN_S = 60
PORTS_IN_A_ROW = 6


@dataclass(frozen=True)
class Stack:
    """A running instance, and its settings as environment variables."""

    folder: DataFolder
    settings: dict[str, str]

    def cli(self, *words: str) -> str:
        """What a `mita` command about this instance prints."""
        command = [*PYTHON, "ussd_app.cli", *words, "--data", str(self.folder.path)]
        done = subprocess.run(  # noqa: S603 - a command of ours
            command, cwd=ROOT, env=clean(), capture_output=True, text=True, timeout=300
        )
        return done.stdout


@contextmanager
def running(data: Path | None, told: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Start one in `data`, or in a folder that is thrown away in the end. Raises NotReady where it does not start.

    `told` are settings of the product and of the simulators, as environment variables.
    """
    with ExitStack() as stack:
        if data is None:
            place = Path(tempfile.mkdtemp(prefix="mita-chaos-"))
            place.chmod(0o711)  # as root, the servers' own account must get through
            stack.callback(shutil.rmtree, place, ignore_errors=True)
            data = place / "data"
        folder, port = DataFolder(data.resolve()), _free_ports()
        words = ("up", "--empty", "--port", str(port), "--data", str(folder.path))
        environ = {**clean(), **(told or {})}
        up = Program(
            "up", [*PYTHON, "ussd_app.cli", *words], environ, ROOT, grace_s=DOWN_WITHIN_S, ready=lambda: is_ready(port)
        )
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        stack.enter_context(begun(up, folder.path.with_suffix(".log"), UP_WITHIN_S))
        yield Stack(folder, Instance(folder, known(folder, {}), port, told or {}).settings())


def clean() -> dict[str, str]:
    """This process's environment without any setting of the product."""
    taken = {variable(field.name) for field in fields(Settings)} | {"PORT", "BIND"}
    return {name: value for name, value in os.environ.items() if name not in taken}


def _free_ports() -> int:
    """The first of several free ports in a row."""
    while True:
        first = free_port()
        if all(is_free(first + at) for at in range(PORTS_IN_A_ROW)):
            return first
