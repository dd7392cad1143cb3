"""Tokens: kept as digests, each with its scopes, revoked without a restart; and what nobody needs one for."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from service_world import opened, run

from cli.main import pentimento
from service.errors import Forbidden, ServiceSettingsError, Unauthorized
from service.launch import serve
from service.tokens import Tokens, add_token, read_tokens, remove_token


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    return tmp_path / "tokens.json"


def test_the_file_holds_digests_and_never_a_token(path):
    token = add_token(path, "studio", ["read", "stylize"])
    assert token not in path.read_text()
    assert Tokens(path).holder(f"Bearer {token}", "stylize").name == "studio"
    assert Tokens(path).holder(f"bearer {token}", "read").scopes == ("read", "stylize")


def test_what_is_unknown_is_401_and_what_does_not_reach_is_403_each_with_a_challenge(path):
    token = add_token(path, "reader", ["read"])
    tokens = Tokens(path)
    for given in (None, "", "Bearer", f"Basic {token}", f"Bearer {token}x", "Bearer \udcff", "x" * 9000):
        with pytest.raises(Unauthorized) as refused:
            tokens.holder(given, "read")
        assert str(refused.value.challenge).startswith('Bearer realm="pentimento"')
    with pytest.raises(Forbidden, match="needs manage-styles") as short:
        tokens.holder(f"Bearer {token}", "manage-styles")
    assert 'error="insufficient_scope"' in str(short.value.challenge)


def test_a_token_is_revoked_and_a_new_one_known_without_a_restart(path):
    first = add_token(path, "first", ["read"])
    tokens = Tokens(path)
    second = add_token(path, "second", ["read"])
    assert tokens.holder(f"Bearer {second}", "read").name == "second"
    remove_token(path, "first")
    with pytest.raises(Unauthorized, match="not known"):
        tokens.holder(f"Bearer {first}", "read")
    path.write_text("{")  # half exchanged: what was read last holds
    assert tokens.holder(f"Bearer {second}", "read").name == "second"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "JSON"),
        ('{"tokens": [{"name": "a", "sha256": "x", "scopes": ["read"]}]}', "sha256"),
        ('{"tokens": [{"name": "a", "sha256": "' + "0" * 64 + '", "scopes": ["paint"]}]}', "scopes"),
        ('{"tokens": [{"name": "a", "sha256": "' + "0" * 64 + '", "scopes": []}]}', "scopes"),
    ],
)
def test_a_token_file_that_cannot_be_used_is_told_with_its_place(path, text, told):
    path.write_text(text)
    with pytest.raises(ServiceSettingsError, match=told):
        Tokens(path)


def test_a_missing_file_a_name_twice_and_an_unknown_name_are_told(path):
    with pytest.raises(ServiceSettingsError, match="pentimento tokens add"):
        read_tokens(path)
    add_token(path, "a", ["read"])
    with pytest.raises(ServiceSettingsError, match="same name"):
        add_token(path, "a", ["read"])
    with pytest.raises(ServiceSettingsError, match="have: a"):
        remove_token(path, "b")


def test_every_route_of_v1_wants_its_scope_and_probes_and_page_want_none(service_settings, path):
    async def test() -> None:
        tokens = {scope: add_token(path, scope, [scope]) for scope in ("read", "stylize", "manage-styles")}
        async with opened(replace(service_settings, tokens=path, styles_writable=True)) as (_, client, _front):
            for open_path in ("/livez", "/readyz", "/metrics", "/", "/page.js", "/openapi.json"):
                assert (await client.get(open_path)).status_code == 200
            needed = {
                ("GET", "/v1/model"): "read",
                ("POST", "/v1/model/refresh"): "read",
                ("GET", "/v1/styles"): "read",
                ("GET", "/v1/styles/waves"): "read",
                ("GET", "/v1/styles/waves/thumbnail"): "read",
                ("POST", "/v1/stylize"): "stylize",
                ("POST", "/v1/photos"): "stylize",
                ("GET", "/v1/photos/x/styles"): "stylize",
                ("POST", "/v1/styles"): "manage-styles",
                ("DELETE", "/v1/styles/no-such"): "manage-styles",
            }
            for (method, url), scope in needed.items():
                answer = await client.request(method, url)
                assert answer.status_code == 401, url
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.json()["type"].endswith(":unauthorized")
                for other, token in tokens.items():
                    status = (await client.request(method, url, headers=bearer(token))).status_code
                    assert (status not in (401, 403)) == (other == scope), (method, url, other)
            described = (await client.get("/openapi.json")).json()
            assert described["paths"]["/v1/stylize"]["post"]["security"] == [{"token": []}]

    run(test)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_no_answer_opens_the_service_to_other_sites(service_settings):
    async def test() -> None:
        async with opened(service_settings) as (_, client, _front):
            for method in ("GET", "OPTIONS", "POST"):
                answer = await client.request(method, "/v1/styles", headers={"Origin": "https://elsewhere.example"})
                assert not [name for name in answer.headers if name.startswith("access-control-")]
            assert (await client.post("/v1/stylize", headers={"Origin": "http://["})).status_code == 403

    run(test)


def test_a_server_with_a_token_file_that_cannot_be_used_does_not_start(path, tmp_path):
    environment = {"PENTIMENTO_HOME": str(tmp_path), "PENTIMENTO_TOKENS": str(path)}
    with pytest.raises(ServiceSettingsError, match="pentimento tokens add"):
        serve("nowhere", port=0, environment=environment)


def test_the_command_makes_lists_and_revokes(path):
    def tokens(*arguments: str) -> str:
        done = CliRunner().invoke(pentimento, ["tokens", *arguments, "--file", str(path)])
        assert done.exit_code == 0, done.output
        return done.stdout

    token = tokens("add", "studio", "--scope", "read", "--scope", "stylize").strip()
    assert Tokens(path).holder(f"Bearer {token}", "stylize").name == "studio"
    assert json.loads(tokens("list", "--json")) == [{"name": "studio", "scopes": ["read", "stylize"]}]
    tokens("remove", "studio")
    assert read_tokens(path).tokens == ()
