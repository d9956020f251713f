"""What all tests share: how hard hypothesis looks.

``fast`` is for every day and ``ci`` for a submission; both try the same examples each time, so that
a failure seen once can be seen again. ``search`` looks in new places: run it when there is time, as
in ``HYPOTHESIS_PROFILE=search make test``.
"""

import os

from hypothesis import HealthCheck, settings

# No deadlines: a shared machine is slow at times, and a slow example is not a wrong one.
_common = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", parent=_common, max_examples=25, derandomize=True)
settings.register_profile("ci", parent=_common, max_examples=100, derandomize=True, print_blob=True)
settings.register_profile("search", parent=_common, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
