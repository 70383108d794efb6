"""The file of the service's variables is read as systemd reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.cli.environment import environment_file, parse, service_environment
from tests.cli.world import World


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A=1\nB=2", {"A": "1", "B": "2"}),
        ("  A = b c \r\nB=\n", {"A": "b c", "B": ""}),
        ("# A=1\n; B=2\n\n C=3 # not a comment\n", {"C": "3 # not a comment"}),
        ('A=\'$x \\ "\'\nB="a \\"b\\" \\$ \\n"\n', {"A": '$x \\ "', "B": 'a "b" $ \\n'}),
        ("A=it's\nB='a'\"b\" c\n", {"A": "it's", "B": "abc"}),
        ("A=one\\\ntwo\nB=a\\b\nC='one\ntwo'\n", {"A": "onetwo", "B": "ab", "C": "one\ntwo"}),
        ("A=https://x/y?a=b&c=d#e\n", {"A": "https://x/y?a=b&c=d#e"}),
        ("export A=1\n1B=2\nnonsense\n=3\nC=a\0b\nD=4\nD=5\n", {"D": "5"}),
        ("A='open\nB=2\n", {"A": "'open", "B": "2"}),
    ],
)
def test_a_file_says_what_it_says_to_systemd(text: str, variables: dict[str, str]) -> None:
    """systemd.exec(5), EnvironmentFile=; what is no assignment is passed over."""
    assert parse(text) == variables


@given(st.text(alphabet="A=\\'\"# \n$x"))
def test_no_file_is_too_strange_to_be_read(text: str) -> None:
    """Whatever stands in it."""
    assert all("=" not in name for name in parse(text))


def test_the_shell_comes_before_the_file(world: World) -> None:
    """The file lies in the usual folder, wherever the configuration is."""
    world.environment("A=file\nB=file\n")
    environ = world.environ | {"A": "shell", "NOTIFYD_CONFIG": "/etc/n.yaml"}

    assert service_environment(environ) == environ | {"B": "file"}
    assert environment_file({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}).as_posix() == (
        "/c/notifyd/environment"
    )


def test_without_a_file_the_shell_is_all(world: World) -> None:
    """Nor does one that is not text stop anything; `notifyd doctor` tells."""
    assert service_environment(world.environ) == world.environ

    world.environment("")
    world.config.with_name("environment").write_bytes(b"A=\xff\n")

    assert service_environment(world.environ) == world.environ
