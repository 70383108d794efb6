"""Is the configuration there, valid and private?"""

from __future__ import annotations

from pathlib import Path

from notifyd.cli.checks.finding import State
from notifyd.cli.checks.settings import (
    check_config,
    check_environment,
    check_private,
    config_files,
)


def a_file(path: Path, text: str = "", mode: int = 0o600) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_missing_configuration_fails(tmp_path: Path) -> None:
    """And says what writes one."""
    finding, config = check_config(tmp_path / "config.yaml", {})

    assert (finding.state, config) == (State.FAILED, None)
    assert "notifyd init" in finding.mend


def test_every_problem_is_listed(tmp_path: Path) -> None:
    """One line each, a missing secret among them."""
    text = "slurm: {interval: x}\nchannels: {a: {type: slack, webhook_url: '${NOT_SET}'}}\n"
    finding, _ = check_config(a_file(tmp_path / "config.yaml", text), {})

    assert finding.state is State.FAILED
    assert finding.text.endswith("2 problems")
    assert "slurm.interval" in finding.mend.splitlines()[0]
    assert "NOT_SET is not set" in finding.mend.splitlines()[1]


def test_a_configuration_without_channels_tells_nobody(tmp_path: Path) -> None:
    """That is valid, and hardly meant."""
    finding, config = check_config(a_file(tmp_path / "config.yaml", "slurm: {}\n"), {})

    assert finding.state is State.WARNING
    assert config is not None


def test_a_good_configuration_names_its_channels(tmp_path: Path) -> None:
    """So that one sees which file was read."""
    text = "channels: {desk: {type: desktop}, here: {type: console}}\n"
    finding, config = check_config(a_file(tmp_path / "config.yaml", text), {})

    assert (finding.state, finding.mend) == (State.OK, "")
    assert "desk, here" in finding.text
    assert config is not None


def test_a_file_that_others_can_read_is_worth_a_look(tmp_path: Path) -> None:
    """`conf.d` counts too."""
    good = a_file(tmp_path / "config.yaml")
    bad = a_file(tmp_path / "conf.d" / "a.yaml", mode=0o644)
    finding = check_private([good, bad])

    assert finding.state is State.WARNING
    assert finding.mend == f"chmod 600 {bad}"


def test_a_file_that_others_can_change_fails(tmp_path: Path) -> None:
    """They could send your messages anywhere."""
    finding = check_private([a_file(tmp_path / "config.yaml", mode=0o660)])

    assert finding.state is State.FAILED


def test_a_private_file_is_fine(tmp_path: Path) -> None:
    """Whoever owns it may write it."""
    assert check_private([a_file(tmp_path / "config.yaml")]).state is State.OK


def test_the_services_variables_are_private(tmp_path: Path) -> None:
    """They are secrets as a rule; without a file there is nothing to say."""
    assert check_environment(tmp_path / "environment") == []
    assert [one.state for one in check_environment(a_file(tmp_path / "environment"))] == [State.OK]

    bad = a_file(tmp_path / "environment", mode=0o604)
    assert [(one.state, one.mend) for one in check_environment(bad)] == [
        (State.FAILED, f"chmod 600 {bad}")
    ]


def test_a_file_of_variables_that_cannot_be_read_fails(tmp_path: Path) -> None:
    """Here a folder in its place."""
    assert [one.state for one in check_environment(tmp_path)] == [State.FAILED]


def test_the_files_are_those_that_load_reads(tmp_path: Path) -> None:
    """Hidden ones and other endings are not read."""
    for name in ("b.yaml", "a.yaml", ".hidden.yaml", "a.yaml.bak"):
        a_file(tmp_path / "conf.d" / name)
    main = a_file(tmp_path / "config.yaml")

    assert [one.name for one in config_files(main)] == ["config.yaml", "a.yaml", "b.yaml"]
    assert config_files(tmp_path / "nowhere" / "config.yaml") == []
