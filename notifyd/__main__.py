"""`python -m notifyd` is `notifyd`."""

from notifyd.cli.main import main

main()
