"""Can the state folder keep what must not be lost?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.cli.checks.finding import State
from notifyd.cli.checks.state import (
    check_file_system,
    check_folder,
    check_space,
    file_system,
    look_at,
)

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:5 master:2 - nfs4 server:/home rw,vers=4.2
31 22 0:41 / /home/my\\040data rw - lustre mgs@tcp:/fs rw
32 22 0:42 / /scratch rw - tmpfs tmpfs rw
33 32 0:43 / /scratch rw - beegfs beegfs_nodev rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/home", "nfs4"),
        ("/home/alice", "nfs4"),
        ("/homework", "ext4"),
        ("/home/my data/x", "lustre"),
        ("/scratch/x", "beegfs"),
    ],
)
def test_the_innermost_and_latest_mount_counts(path: str, kind: str) -> None:
    """Escaped blanks are understood; a common beginning is not a common folder."""
    assert file_system(MOUNTS, path) == kind


def test_an_unknown_place_has_no_type() -> None:
    """Nothing is guessed."""
    assert file_system("", "/home") is None
    assert file_system("garbage\n22 1 - ext4\n", "/home") is None


@given(st.text(st.characters(min_codepoint=1, max_codepoint=255), min_size=1))
def test_every_mount_point_is_found_again(name: str) -> None:
    """The kernel writes blank, tab, newline and backslash as octal numbers."""
    point = f"/m{name.replace('/', '_')}"
    escaped = "".join(f"\\{ord(c):03o}" if c in " \t\n\\" else c for c in point)

    assert file_system(f"1 0 0:1 / {escaped} rw - lustre x rw\n", f"{point}/x") == "lustre"


@pytest.mark.parametrize("kind", ["nfs4", "lustre", "gpfs", "beegfs", "ceph"])
def test_a_network_file_system_works_for_one_daemon(kind: str) -> None:
    """A local disk is better."""
    finding = check_file_system(kind)

    assert finding.state is State.WARNING
    assert "one daemon at a time" in finding.text


def test_memory_forgets() -> None:
    """A reboot would lose what is owed."""
    assert check_file_system("tmpfs").state is State.WARNING


def test_a_local_disk_is_fine() -> None:
    """Whatever its type is called."""
    assert check_file_system("ext4").state is State.OK
    assert check_file_system(None).state is State.OK


@pytest.mark.parametrize(
    ("free", "state"),
    [(0, State.FAILED), (100 * 2**20, State.WARNING), (2**30, State.OK)],
)
def test_a_full_disk_is_noticed_before_it_is_full(free: int, state: State) -> None:
    """Nothing can be owed that cannot be written."""
    assert check_space(free).state is state


def test_a_missing_folder_will_be_made(tmp_path: Path) -> None:
    """Where its parent lets it be made."""
    assert check_folder(tmp_path / "a" / "b").state is State.OK
    assert check_folder(Path("/proc/self/a")).state is State.FAILED


def test_a_private_folder_is_fine(tmp_path: Path) -> None:
    """One that others can look into gets its mend."""
    tmp_path.chmod(0o700)
    private = check_folder(tmp_path)
    tmp_path.chmod(0o755)
    public = check_folder(tmp_path)

    assert private.state is State.OK
    assert (public.state, public.mend) == (State.WARNING, f"chmod 700 {tmp_path}")


def test_a_file_in_the_way_fails(tmp_path: Path) -> None:
    """The daemon needs a folder."""
    (tmp_path / "state").touch()

    assert check_folder(tmp_path / "state").state is State.FAILED


def test_the_real_file_system_is_looked_at(tmp_path: Path) -> None:
    """Where the folder is, or will be."""
    names = [one.name for one in look_at(tmp_path / "state")]

    assert names == ["state", "state-file-system", "state-space"]
