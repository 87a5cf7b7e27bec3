"""The unprivileged account that the servers run as when Mita itself runs as root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

NAME = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """A system account by its numbers."""

    name: str
    uid: int
    gid: int


class AsUser(TypedDict, total=False):
    """What subprocess needs to change the user."""

    user: int
    group: int
    extra_groups: list[str | int]


def server_account() -> Account | None:
    """`nobody` where we are root, because PostgreSQL refuses to run as root; None where we are an ordinary user."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(NAME)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def can_run(account: Account | None, program: Path) -> bool:
    """Whether `account` can start `program` where it lies, shared libraries included."""
    return _as(account, str(program), "--version")


def can_enter(account: Account | None, folder: Path) -> bool:
    """Whether `account` may pass through every folder down to `folder`; None, ourselves, may."""
    return account is None or _as(account, "test", "-x", str(folder))


def _as(account: Account | None, *command: str) -> bool:
    # Trying it is surer than reading mode bits: access lists and mount options count too.
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, cwd="/", capture_output=True, timeout=20, check=False, **as_account(account)
        )
    except PermissionError:
        return False
    return done.returncode == 0


def as_account(account: Account | None) -> AsUser:
    """The arguments with which subprocess runs something as `account`, or as ourselves."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def own_folder(folder: Path, account: Account | None, mode: int = 0o700) -> Path:
    """Make `folder` (its parent exists) with `mode` for `account`; an existing one is left as it is."""
    if not folder.exists():
        folder.mkdir()
        folder.chmod(mode)
        if account:
            os.chown(folder, account.uid, account.gid)
    return folder
