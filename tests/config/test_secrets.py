"""Secrets: where they may lie, and that they stay secret."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from notifyd.config.schema import Config
from tests.config.samples import Folder, HookSettings

CANARY = "https://example.org/CANARY-5f2c"


def hook(*lines: str) -> str:
    """Return a configuration with one channel of these lines."""
    return "channels:\n  ops:\n    type: hook\n" + "".join(f"    {line}\n" for line in lines)


def ops(config: Config) -> HookSettings:
    """Return that one channel."""
    settings = config.channels["ops"]
    assert isinstance(settings, HookSettings)
    return settings


def test_a_secret_comes_from_a_variable(folder: Folder) -> None:
    """Then the file may be read by anybody."""
    config = folder.load(hook("webhook_url: ${URL}"), mode=0o644, URL=CANARY)

    assert ops(config).webhook_url.get_secret_value() == CANARY


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_comes_from_a_file(folder: Folder, ending: str) -> None:
    """Without the end of line that every editor adds."""
    secret = folder.write(CANARY + ending, "token")

    config = folder.load(hook(f"webhook_url_file: {secret}"), mode=0o644)

    assert ops(config).webhook_url.get_secret_value() == CANARY


def test_a_tilde_is_the_home_folder(folder: Folder) -> None:
    """As in a shell."""
    folder.write(CANARY, "token")

    config = folder.load(hook("webhook_url_file: ~/token"), HOME=str(folder.path))

    assert ops(config).webhook_url.get_secret_value() == CANARY


def test_a_secret_comes_from_a_systemd_credential(folder: Folder) -> None:
    """systemd guards its folder itself, so the file's mode is not looked at."""
    folder.write(CANARY, "credentials/slack", mode=0o440)
    credentials = str(folder.path / "credentials")

    config = folder.load(
        hook("webhook_url_credential: slack"), mode=0o644, CREDENTIALS_DIRECTORY=credentials
    )

    assert ops(config).webhook_url.get_secret_value() == CANARY


def test_a_plain_secret_needs_a_private_file(folder: Folder) -> None:
    """It is taken from a file of mode 0600."""
    assert ops(folder.load(hook(f"webhook_url: {CANARY}"))).webhook_url


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_plain_secret_in_a_file_that_others_can_read_is_refused(
    folder: Folder, mode: int
) -> None:
    """The message says how to mend it, and all such secrets are found."""
    text = hook(
        f"webhook_url: {CANARY}", "headers:", f"  X-Token: {CANARY}", f"keys: [{CANARY}]",
        f"proxy: {{token: {CANARY}}}",
        f"several: [{CANARY}]",
    )  # fmt: skip

    found = folder.problems(text, mode)

    assert [(one.line, one.path) for one in found] == [
        (4, "channels.ops.webhook_url"),
        (6, "channels.ops.headers.X-Token"),
        (7, "channels.ops.keys[0]"),
        (8, "channels.ops.proxy.token"),
        (9, "channels.ops.several[0]"),
    ]
    assert f"run `chmod 600 {folder.path}/config.yaml`" in found[0].text
    assert "keys_file" in found[2].text


def test_the_file_that_holds_the_line_is_the_one_that_must_be_private(folder: Folder) -> None:
    """A secret may lie in a private `conf.d` file beside a public configuration."""
    folder.write(hook(), mode=0o644)
    folder.write(f"channels: {{ops: {{webhook_url: '{CANARY}'}}}}", "conf.d/secret.yaml")

    assert folder.lines() == []


def test_headers_and_inner_sections_take_secrets_from_elsewhere(folder: Folder) -> None:
    """Wherever a secret may stand, all of its forms may."""
    secret = folder.write(CANARY, "token")
    text = hook(
        "webhook_url: ${URL}",
        "headers:",
        f"  Authorization_file: {secret}",
        "  X-Other: Bearer ${URL}",
        f"keys_file: {secret}",
        "proxy:",
        f"  token_file: {secret}",
    )

    settings = ops(folder.load(text, mode=0o644, URL="u"))

    headers = {key: value.get_secret_value() for key, value in settings.headers.items()}
    assert headers == {"Authorization": CANARY, "X-Other": "Bearer u"}
    assert [key.get_secret_value() for key in settings.keys] == [CANARY]
    assert settings.proxy is not None
    assert settings.proxy.token.get_secret_value() == CANARY


def test_two_ways_at_once_are_refused(folder: Folder) -> None:
    """Which of the two is meant is not guessed, and both places are named."""
    folder.write(hook("webhook_url: ${NOT_USED}"))
    folder.write("channels: {ops: {webhook_url_file: /x}}", "conf.d/a.yaml")

    assert folder.lines(NOT_USED="u") == [
        (
            "conf.d/a.yaml:1: channels.ops.webhook_url_file: a secret given in 2 ways: "
            "webhook_url (config.yaml:4), webhook_url_file (conf.d/a.yaml:1); keep one"
        )
    ]


def test_a_way_that_is_left_empty_does_not_count(folder: Folder) -> None:
    """`webhook_url:` without a value is as good as left out."""
    secret = folder.write(CANARY, "token")

    settings = ops(folder.load(hook("webhook_url:", f"webhook_url_file: {secret}")))

    assert settings.webhook_url.get_secret_value() == CANARY


@pytest.mark.parametrize(
    "line", ["webhook_url:", "webhook_url_file:", "webhook_url_credential: null"]
)
def test_a_secret_without_a_value_is_missing(folder: Folder, line: str) -> None:
    """It is called what it is: required."""
    [problem] = folder.problems(hook(line))

    assert (problem.path, problem.text[:8]) == ("channels.ops.webhook_url", "required")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644])
def test_a_secret_file_that_others_can_read_or_change_is_refused(folder: Folder, mode: int) -> None:
    """The message says how to mend it."""
    secret = folder.write(CANARY, "token", mode)

    [problem] = folder.problems(hook(f"webhook_url_file: {secret}"))

    assert problem.path == "channels.ops.webhook_url_file"
    assert problem.text.endswith(f"others can read or change it; run `chmod 600 {secret}`")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_secret_file_is_refused(folder: Folder) -> None:
    """Whoever owns it could change where the messages go."""
    secret = folder.write(CANARY, "token")
    os.chown(secret, 12345, 12345)

    [problem] = folder.problems(hook(f"webhook_url_file: {secret}"))

    assert "belongs to another user" in problem.text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"  \r\n", "is empty"),
        (b"\xff\xfe", "not UTF-8 text on line 1; save it as UTF-8"),
        (b"x" * 65_537, "larger than 64 kB"),
    ],
)
def test_a_secret_file_must_hold_a_short_text(folder: Folder, data: bytes, text: str) -> None:
    """A file that cannot be a secret is named with the reason."""
    secret = folder.write(data, "token")

    [problem] = folder.problems(hook(f"webhook_url_file: {secret}"))

    assert problem.text == f"{secret}: {text}"


def test_a_secret_file_that_is_no_file_is_refused(folder: Folder) -> None:
    """A pipe that nobody writes to does not hang the daemon."""
    pipe = folder.path / "pipe"
    os.mkfifo(pipe, 0o600)
    text = hook(
        f"webhook_url_file: {pipe}", "headers:", "  A_file: /nowhere/at/all",
        f"  B_file: {folder.path}", "  C_file: /dev/zero", '  D_file: "/a\\0b"',
    )  # fmt: skip

    found = [problem.text for problem in folder.problems(text)]

    assert found == [
        f"{pipe}: not a regular file",
        "/nowhere/at/all: no such file",
        f"{folder.path}: a folder, not a file",
        "/dev/zero: not a regular file",
        "/a b: not a path",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        (f"webhook_url_file: {CANARY}",),
        ("webhook_url_file: CANARY-5f2c",),
        ("webhook_url_file: ${URL}",),
        ("webhook_url_file: [CANARY-5f2c]",),
        ("webhook_url_credential: CANARY-5f2c",),
        ("webhook_url_credential: ${URL}",),
        (f"webhook_url: [{CANARY}]",),
        (f"webhook_url: {{{CANARY}: }}",),
        (f"webhook_url: !{CANARY}",),
        ("webhook_url: *CANARY-5f2c",),
        (f"webhook_url: '{CANARY}",),
        (f"webhok_url: {CANARY}",),
        (f"{{webhook_url:{CANARY}}}",),
        (f"webhook_url: {CANARY}", "port: 3"),
        (f"webhook_url: {CANARY}", f"webhook_url_file: {CANARY}"),
        ("webhook_url: ${URL}", "enabled: ${URL}", "retry: ${URL}"),
        ("webhook_url: ${URL}", "timeout: ${URL}", "events: ['${URL}']"),
        (f"headers: {{A: {CANARY}, B: [{CANARY}]}}",),
        (f"headers: {CANARY}",),
        (f"proxy: {CANARY}",),
    ],
)
def test_no_problem_shows_a_secret(
    folder: Folder, caplog: pytest.LogCaptureFixture, lines: tuple[str, ...]
) -> None:
    """Wherever it was put by mistake, neither the error nor a log repeats it."""
    caplog.set_level(logging.DEBUG)

    found = folder.problems(hook(*lines), mode=0o644, URL=CANARY)

    assert found
    assert "CANARY" not in repr(found) + "".join(map(str, found)) + caplog.text


def test_no_repr_shows_a_secret(folder: Folder) -> None:
    """The configuration can be printed and logged."""
    secret = folder.write(CANARY, "token")
    config = folder.load(
        hook(
            f"webhook_url: {CANARY}", f"headers: {{A: {CANARY}, B_file: {secret}}}",
            f"keys: [{CANARY}]", "proxy: {token: '${URL}'}",
        ),
        URL=CANARY,
    )  # fmt: skip

    assert "CANARY" not in repr(config) + str(config) + repr(config.model_dump())


def test_a_broken_secret_is_told_once(folder: Folder) -> None:
    """A secret that could not be read is not called missing as well."""
    [problem] = folder.problems(hook("webhook_url_file: /nowhere/at/all"))

    assert problem.path == "channels.ops.webhook_url_file"


def test_an_empty_variable_is_no_secret(folder: Folder) -> None:
    """`export TOKEN=` is a mistake, and would be found only at the first message."""
    [problem] = folder.problems(hook("webhook_url: ${URL}"), URL="")

    assert problem.text == "a secret that is empty; give it a value"


@pytest.mark.parametrize("name", ["../x", "a/b", ".x", "", "x\\0"])
def test_a_credential_is_a_name_and_no_path(folder: Folder, name: str) -> None:
    """Nothing outside of systemd's folder can be named."""
    Path(folder.path, "credentials").mkdir()

    [problem] = folder.problems(
        hook(f'webhook_url_credential: "{name}"'),
        CREDENTIALS_DIRECTORY=str(folder.path / "credentials"),
    )

    assert problem.text.startswith("must be a name of")


def test_without_systemd_a_credential_says_what_is_missing(folder: Folder) -> None:
    """The unit's line that is needed is named."""
    [problem] = folder.problems(hook("webhook_url_credential: slack"))

    assert "LoadCredential=NAME:PATH" in problem.text
