"""What all tests share: how hard hypothesis looks, and which process runs which file.

``fast`` is for every day and ``ci`` for a submission; both try the same examples each time, so that
a failure seen once can be seen again. ``search`` looks in new places: run it when there is time, as
in ``HYPOTHESIS_PROFILE=search make test``.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.dealing import in_order, unit_of

# No deadlines: a shared machine is slow at times, and a slow example is not a wrong one.
_common = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", parent=_common, max_examples=25, derandomize=True)
settings.register_profile("ci", parent=_common, max_examples=100, derandomize=True, print_blob=True)
settings.register_profile("search", parent=_common, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False  # the order is ours, not by the number of tests
    scheduling = LoadFileScheduling(config, log)
    scheduling._split_scope = unit_of
    return scheduling


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # with one process alone the short files come first
        items[:] = in_order(items)
