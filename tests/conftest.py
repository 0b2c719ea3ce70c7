"""``--without LAWS.signal``: run tests as if a limit of `discovery.criteria` were not there."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--without", metavar="GROUP.LIMIT", help="take one limit away")


@pytest.fixture(autouse=True, scope="session")
def _without_one_limit(request):
    name = request.config.getoption("--without")
    if name is None:
        return
    from dataclasses import fields

    from discovery import criteria

    group, limit = name.split(".")
    record = {f.name: f for f in fields(criteria.ALL[group])}[limit]
    # The criteria are frozen for everyone else.
    object.__setattr__(criteria.ALL[group], limit, record.metadata["off"])
