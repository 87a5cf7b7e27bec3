"""`python -m tests.mutations [PART OF A NAME]`: break a copy of the tree in each place and run the tests that know.

The tests are run on the copy as it is first: they must be green, or a red one would say nothing. Exit code 1 where a
break went unseen.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from tests.mutations.changes import MUTATIONS, Mutation
from ussd_app.embedded.folder import DataFolder
from ussd_app.embedded.running import running
from ussd_app.embedded.servers import embedded_postgres, embedded_valkey

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "screenshots", ".mita")
RED = 1  # pytest's exit code where a test has failed; others say that it could not be tried


def main(wanted: str = "") -> int:
    """Try the breaks whose names contain `wanted`; how many went unseen."""
    chosen = [one for one in MUTATIONS if wanted in one.what]
    with ExitStack() as stack:
        place = Path(tempfile.mkdtemp(prefix="mita-mutations-"))
        place.chmod(0o711)
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        tree = place / "tree"
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        environment = _servers(stack, place)
        named = sorted({test for one in chosen for test in one.tests})
        if (code := _tests(tree, named, environment)) != 0:
            print(f"The tests are not green without a break (exit code {code}).")
            return 1
        print("| what is broken | where | seen by | seconds |\n|---|---|---|---:|")
        unseen = sum(not _try(one, tree, environment) for one in chosen)
    print(f"\n{len(chosen) - unseen} of {len(chosen)} breaks were seen.")
    return unseen


def _servers(stack: ExitStack, place: Path) -> dict[str, str]:
    """One PostgreSQL and one Valkey for all; each run of tests makes a database of its own there."""
    folder = DataFolder(place / "data")
    folder.create()
    postgres, valkey = embedded_postgres(folder), embedded_valkey(folder)
    stack.enter_context(running(postgres.program(), folder.logs / "postgres.log"))
    stack.enter_context(running(valkey.program(), folder.logs / "valkey.log"))
    urls = {"TEST_DATABASE_URL": postgres.url("postgres"), "TEST_REDIS_URL": valkey.url}
    return os.environ | urls | {"PYTHONDONTWRITEBYTECODE": "1"}


def _try(one: Mutation, tree: Path, environment: dict[str, str]) -> bool:
    """Break the copy, run the tests one file after the other until one is red, and mend it again."""
    file = tree / one.path
    whole = file.read_text()
    if whole.count(one.old) != 1:
        raise SystemExit(f"{one.what}: the place is not in {one.path} once, but {whole.count(one.old)} times")
    begun, seen = monotonic(), "nothing"
    file.write_text(whole.replace(one.old, one.new))
    try:
        for test in one.tests:
            if _tests(tree, [test], environment) == RED:
                seen = test
                break
    finally:
        file.write_text(whole)
    print(f"| {one.what} | {one.path} | {seen} | {monotonic() - begun:.0f} |", flush=True)
    return seen != "nothing"


def _tests(tree: Path, files: Iterable[str], environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--tb=no", *files]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=900).returncode


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:2]), 1))
