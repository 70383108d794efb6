"""Will the daemon still run tomorrow?"""

from __future__ import annotations

from notifyd.cli.checks.finding import Finding, ok, warning
from notifyd.cli.systemctl import Answer, UserManager, lingers
from notifyd.user import user_name

_INSTALL = "notifyd init --service"


def look_at(manager: UserManager) -> list[Finding]:
    """Return how the service is, and whether it outlives the last session."""
    trouble = manager.trouble()
    if trouble:
        return [no_manager(trouble)]
    user = user_name()
    return [check_service(manager.enabled()), check_linger(user, lingers(user))]


def no_manager(trouble: str) -> Finding:
    """Return what to do where no service can be had."""
    words = f"systemd cannot be reached here, so there is no service ({trouble.rstrip('.')})"
    mend = "Log in with ssh rather than su or sudo; or keep `notifyd run` in tmux."
    return warning("service", words, mend)


def check_service(enabled: Answer) -> Finding:
    """Return how the service is, given what `systemctl is-enabled` said."""
    if enabled.done:
        return ok("service", f"The service is installed and starts by itself ({enabled.text})")
    if enabled.text in ("disabled", "masked"):
        mend = "systemctl --user enable --now notifyd"
        if enabled.text == "masked":
            mend = f"systemctl --user unmask notifyd\n{mend}"
        return warning("service", f"The service is installed, but {enabled.text}", mend)
    return warning("service", "The service is not installed", _INSTALL)


def check_linger(user: str, lingers: bool) -> Finding:
    """Return whether services go on after the last session."""
    if lingers:
        return ok("linger", "Services go on after you log out (linger is on)")
    words = "Services end with your last session (linger is off)"
    return warning("linger", words, f"loginctl enable-linger {user}")
