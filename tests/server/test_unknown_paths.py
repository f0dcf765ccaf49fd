"""Paths and methods that no route has: answered in the API's shape, with the pages mounted."""

from __future__ import annotations

import pytest

from governance.accounts import Role
from server.engines.scripted import ScriptedEngine
from server.settings import Settings
from tests_support import House, furnish, house_of


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> House:
    folder = tmp_path_factory.mktemp("whole")
    engine = ScriptedEngine()
    settings = Settings(data_dir=folder / "data", model_dir=folder / "model", _env_file=None)
    return house_of(furnish(settings, engine), engine, with_loops=False)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nope", 404),
        ("POST", "/v1/corrections/cor_1/nope", 404),
        ("GET", "/v1/corrections/", 404),
        ("PUT", "/v1/corrections", 405),
        ("DELETE", "/v1/models", 405),
        ("POST", "/health", 405),
        ("PATCH", "/login", 405),
    ],
)
async def test_what_no_route_has_is_told_in_the_shape_of_the_api(whole, method, path, status):
    async with whole.client(Role.USER) as user:
        answer = await user.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert bool(answer.headers.get("allow")) == (status == 405)


async def test_known_paths_and_pages_are_still_there(whole):
    async with whole.client(Role.USER) as user:
        assert (await user.get("/health")).status_code == 200
        assert (await user.get("/v1/models")).status_code == 200
        assert "gradio" in (await user.get("/", headers={"Accept": "text/html"})).text
        assert (await user.get("/admin/")).status_code == 403
        del user.headers["Authorization"]
        page = await user.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=/")
