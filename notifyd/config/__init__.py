"""The configuration: YAML in, frozen settings or every error at once out.

Nothing is imported here, so that `notifyd.config` costs a command nothing it does not use.
"""
