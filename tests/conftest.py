"""Settings every test shares."""

from hypothesis import settings

# Same examples on every run and machine: a red build is red again when it is looked into.
# No deadline, because a busy small machine is not a failure.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")
