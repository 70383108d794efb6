"""Files in, settings or every error at once out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from notifyd.config.problems import ConfigError
from notifyd.config.schema import Config
from tests.config.samples import Folder, HookSettings, MailSettings

HOOK = "channels:\n  ops:\n    type: hook\n    webhook_url: https://example.org/x\n"


def test_a_whole_configuration_becomes_settings(folder: Folder) -> None:
    """Every section becomes values of its own classes."""
    config = folder.load(
        "slurm: {interval: 1m, users: [me, ada]}\n"
        "channels:\n"
        "  ops: {type: hook, webhook_url: https://example.org/x, events: [job_*]}\n"
        "  mail: {type: mail, host: mx, from: a@example.org, to: [b@example.org], port: 25}\n"
        "templates: {job_completed: '{{ job_name }} is done'}\n"
    )

    ops, mail = config.channels["ops"], config.channels["mail"]
    assert config.slurm.interval == 60
    assert config.slurm.users == ("me", "ada")
    assert isinstance(ops, HookSettings)
    assert ops.webhook_url.get_secret_value() == "https://example.org/x"
    assert ops.events == ("job_*",)
    assert isinstance(mail, MailSettings)
    assert (mail.sender, mail.to, mail.port) == ("a@example.org", ("b@example.org",), 25)
    assert config.templates == {"job_completed": "{{ job_name }} is done"}


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "slurm:\nchannels:\n", "---\n", "\ufeff"])
def test_an_empty_file_is_the_defaults(folder: Folder, text: str) -> None:
    """A file, or a section, whose lines are all commented out says nothing."""
    assert folder.load(text) == Config()


def test_a_single_text_is_a_list_of_one(folder: Folder) -> None:
    """`events`, `to` and `users` may be given without brackets."""
    config = folder.load(
        "slurm: {users: ada}\n"
        "channels:\n"
        "  mail: {type: mail, host: mx, from: a@x, to: b@x, events: job_failed}\n"
    )

    mail = config.channels["mail"]
    assert isinstance(mail, MailSettings)
    assert (config.slurm.users, mail.to, mail.events) == (("ada",), ("b@x",), ("job_failed",))


def test_a_misspelt_key_is_told_with_its_line_and_what_was_meant(folder: Folder) -> None:
    """The key that was meant is not called missing as well."""
    text = HOOK.replace("webhook_url", "webhok_url")

    assert folder.lines(text) == [
        'config.yaml:4: channels.ops.webhok_url: unknown key; did you mean "webhook_url"?'
    ]


def test_a_misspelt_key_is_named_even_when_its_value_is_broken(folder: Folder) -> None:
    """A variable that is missing does not hide that nobody asked for it there."""
    text = "channels:\n  ops:\n    type: hook\n    webhok_url: ${NOT_SET}\n"

    assert 'config.yaml:4: channels.ops.webhok_url: unknown key; did you mean "webhook_url"?' in (
        folder.lines(text)
    )


def test_all_problems_of_all_sections_come_at_once_in_order(folder: Folder) -> None:
    """Nobody mends a file one error a run."""
    lines = folder.lines(
        "slurm:\n"
        "  interval: often\n"
        "  userz: [me]\n"
        "chanels: {}\n"
        "channels:\n"
        "  ops: {type: slak}\n"
        "  mail:\n"
        "    type: mail\n"
        "    port: 70000\n"
        "    security: ssl\n"
        "    from: 12\n"
        "    to: []\n"
        "    events: [job_faild]\n"
        "    retry: {initial_delay: 0s}\n"
        "    password: ${NOT_SET}\n"
        "  ' x': {type: hook, webhook_url: $${x}\n"
        "templates: {job_complete: x, job_failed: '{{ oops'}\n".replace("$${x}", "x}")
    )

    assert lines == [
        "config.yaml:2: slurm.interval: not a duration: write it like 30s, 15m, 2h or 1h30m",
        'config.yaml:3: slurm.userz: unknown key; did you mean "users"?',
        'config.yaml:4: chanels: unknown section; did you mean "channels"?',
        "config.yaml:6: channels.ops.type: unknown type of channel; there are: hook, mail",
        "config.yaml:7: channels.mail.host: required",
        "config.yaml:9: channels.mail.port: must be at most 65535",
        "config.yaml:10: channels.mail.security: must be 'tls' or 'none'",
        "config.yaml:11: channels.mail.from: must be a text; put it in quotes",
        "config.yaml:12: channels.mail.to: must have at least one entry",
        (
            "config.yaml:13: channels.mail.events: no such event `job_faild`; "
            "did you mean `job_failed`?"
        ),
        "config.yaml:14: channels.mail.retry.initial_delay: must be more than 0 seconds",
        (
            "config.yaml:15: channels.mail.password: the environment variable NOT_SET is not set; "
            "set it where notifyd is started"
        ),
        (
            "config.yaml:16: channels. x: a channel's name has letters, digits, `_`, `.` and `-` "
            "only, at most 64"
        ),
        'config.yaml:17: templates.job_complete: unknown event; did you mean "job_completed"?',
        (
            "config.yaml:17: templates.job_failed: not a usable template: line 1: "
            "unexpected end of template, expected 'end of print statement'."
        ),
    ]


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("port: many", "must be a whole number"),
        ("port: 1.5", "must be a whole number"),
        ("retry: {multiplier: much}", "must be a number"),
        ("retry: 3", "must be a section, with `key: value` on each line"),
        ("enabled: perhaps", "must be true or false"),
        ("to: {a: b}", "must be a list"),
        ("timeout: 1h", "must be at most 300 seconds"),
        ("rate_limit: {burst: 0}", "must be at least 1"),
        ("host: [a]", "must be a text; put it in quotes"),
    ],
)
def test_a_wrong_type_is_told_in_plain_words(folder: Folder, setting: str, text: str) -> None:
    """What is allowed is said, and never what a validator calls it."""
    given = {"host": "mx", "from": "a@x", "to": "[b@x]"}
    given.pop(setting.partition(":")[0], None)
    others = "".join(f", {key}: {value}" for key, value in given.items())

    found = folder.problems(f"channels:\n  m: {{type: mail, {setting}{others}}}\n")

    assert [(one.line, one.text) for one in found] == [(2, text)]


def test_a_required_secret_says_how_it_can_be_given(folder: Folder) -> None:
    """Whoever left it out learns the three ways."""
    assert folder.lines("channels:\n  ops: {type: hook}\n") == [
        (
            "config.yaml:2: channels.ops.webhook_url: required; give it as "
            "`webhook_url: ${NAME}`, `webhook_url_file: PATH` or `webhook_url_credential: NAME`"
        )
    ]


@pytest.mark.parametrize("body", ["", "null", "[a]", "text", "{}", "{type: }", "{type: [hook]}"])
def test_a_channel_without_a_type_is_a_problem(folder: Folder, body: str) -> None:
    """Whatever stands in the place of a channel, there is one line about it."""
    [problem] = folder.problems(f"channels:\n  ops: {body}\n")

    assert problem.line == 2
    assert problem.path.startswith("channels.ops")


def test_conf_d_is_merged_in_name_order(folder: Folder) -> None:
    """Sections join; lists and single values replace; hidden and other files are left alone."""
    folder.write(HOOK + "    events: [job_started, job_failed]\n")
    folder.write("channels: {ops: {username: b, enabled: false}}\n", "conf.d/20.yaml")
    folder.write("channels: {ops: {username: a, events: [job_ended]}}\n", "conf.d/10.yaml")
    folder.write("slurm:\n", "conf.d/30.yaml")
    folder.write("{{{", "conf.d/.hidden.yaml")
    folder.write("{{{", "conf.d/note.txt")

    ops = folder.load().channels["ops"]

    assert isinstance(ops, HookSettings)
    assert (ops.username, ops.enabled, ops.events) == ("b", False, ("job_ended",))
    assert ops.webhook_url.get_secret_value() == "https://example.org/x"


def test_a_problem_names_the_file_that_holds_its_line(folder: Folder) -> None:
    """A merged section keeps the place of each of its lines."""
    folder.write(HOOK + "    uzername: x\n")
    folder.write("channels:\n  ops:\n\n    enabled: perhaps\n", "conf.d/a.yaml")

    assert folder.lines() == [
        "conf.d/a.yaml:4: channels.ops.enabled: must be true or false",
        'config.yaml:5: channels.ops.uzername: unknown key; did you mean "username"?',
    ]


def test_a_file_that_is_not_yaml_hides_no_other_problem(folder: Folder) -> None:
    """The rest is checked too, but nothing is called missing that may stand there."""
    folder.write("channels: [\n")
    folder.write("slurm: {interval: never}\nchannels: {ops: {enabled: no}}\n", "conf.d/a.yaml")
    folder.write("\tx: y\n", "conf.d/b.yaml")

    assert folder.lines() == [
        "conf.d/a.yaml:1: slurm.interval: not a duration: write it like 30s, 15m, 2h or 1h30m",
        "conf.d/b.yaml:1: not YAML: a tab; YAML is indented with spaces (column 1)",
        "config.yaml:2: not YAML: a list or section in brackets that is never closed (column 1)",
    ]


@pytest.mark.parametrize("text", ["hello", "- a\n- b\n", "12", "https://example.org/secret"])
def test_a_file_without_sections_is_a_problem(folder: Folder, text: str) -> None:
    """A list or a lone text is no configuration, and is not repeated."""
    assert folder.lines(text) == [
        "config.yaml:1: must hold sections, such as `slurm:` and `channels:`"
    ]


def test_a_missing_file_says_what_to_do(folder: Folder) -> None:
    """The first error that a new user meets leads on."""
    assert folder.lines() == [
        "config.yaml: no such file; run `notifyd init` to write one, or name it with --config"
    ]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"slurm:\n  conf: \xff\n", "not UTF-8 text on line 2; save it as UTF-8"),
        (b"#" * 300_000, "larger than 256 kB"),
    ],
)
def test_a_file_that_is_no_text_is_a_problem(folder: Folder, data: bytes, text: str) -> None:
    """Neither another encoding nor a huge file is tried any further."""
    assert folder.lines(data) == [f"config.yaml: {text}"]


def test_a_folder_and_a_pipe_are_no_configuration(folder: Folder) -> None:
    """A pipe that nobody writes to does not hang the daemon."""
    Path(folder.path, "config.yaml").mkdir()
    Path(folder.path, "conf.d").mkdir()
    os.mkfifo(folder.path / "conf.d" / "pipe.yaml")

    assert folder.lines() == [
        "conf.d/pipe.yaml: not a regular file",
        "config.yaml: a folder, not a file",
    ]


def test_a_conf_d_that_is_no_folder_is_a_problem(folder: Folder) -> None:
    """What cannot be listed is not taken for empty."""
    folder.write("", "conf.d")

    assert folder.lines("") == ["conf.d: cannot be listed: Not a directory"]


def test_the_error_prints_one_line_a_problem(folder: Folder) -> None:
    """`str()` of the exception is what a terminal shows."""
    with pytest.raises(ConfigError) as caught:
        folder.load("slurm: {a: 1}\nx: 1\n")

    assert str(caught.value).splitlines() == [str(one) for one in caught.value.problems]
    assert len(caught.value.problems) == 2


def test_a_forgotten_space_does_not_print_what_follows(folder: Folder) -> None:
    """`{password:x}` is one key to YAML, and x may be a secret."""
    [problem] = folder.problems(
        "channels:\n  m: {type: mail, host: h, from: a, to: b, password:hunter22}\n"
    )

    assert problem.path == "channels.m.password…"
    assert problem.text == 'unknown key; write "password: …" with a space after the colon'


def test_the_configuration_cannot_be_changed(folder: Folder) -> None:
    """What was checked stays as it was checked."""
    config = folder.load("")

    with pytest.raises(ValueError, match="frozen"):
        config.slurm = config.slurm  # type: ignore[misc]
