"""Hot swap: the service follows its alias without a failed request, refuses what is bad, and goes back in no time."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from registry_world import another, settings_in
from service_world import GatedEngine, opened, picture, run, stylize, until

from registry.registration import store_version
from registry.settings import Settings
from registry.store import open_client
from registry.styles import StyleLibrary
from registry.versions import Registry
from runtime.package import Package, open_package, write_package
from service.settings import ServiceSettings
from service.studio import Studio
from stylenet.images import Pixels
from stylenet.pictures import encode_picture

IMAGE = picture(32)


@pytest.fixture
def registry(tmp_path: Path, tiny_package: Path, painting: Pixels) -> Registry:
    """Versions 1 and 2, the first of which is the champion, and a style."""
    settings = settings_in(tmp_path / "home")
    registry = Registry(settings)
    for commit in ("a", "b"):
        registry.register(another(tiny_package, tmp_path, commit).folder, engine="torch")
    registry.promote(1, force_reason="a test")
    library = StyleLibrary.from_settings(settings)
    library.add("waves", [painting])
    library.close()
    return registry


def following(settings: Settings, **more: Any) -> ServiceSettings:
    """Settings that follow the champion closely."""
    return ServiceSettings(registry=settings, engine="torch", seed_styles=False, poll_s=0.05, retry_s=0.05, **more)


async def paints(client: httpx.AsyncClient, version: str, *, within_s: float = 10) -> None:
    """Wait until that version paints."""
    async with asyncio.timeout(within_s):
        while (await stylize(client, IMAGE)).headers["x-model-version"] != version:
            await asyncio.sleep(0.02)


def broken(package: Path, folder: Path) -> Package:
    """A package that is whole, but does not paint its golden picture."""
    known = open_package(package)
    files = {name: known.path(name).read_bytes() for name in known.manifest.files}
    files["golden/output.png"] = files["golden/style.png"]
    fields = known.manifest.model_dump(exclude={"files", "schema_version"}) | {"git_commit": "broken"}
    return write_package(folder / "broken", files=files, **fields)


def register_unproved(settings: Settings, package: Package) -> None:
    """Register without the registry's own check of the golden picture."""
    store_version(open_client(settings), settings, package, run_id=None, tags={"pentimento.digest": package.digest})


def test_a_promotion_under_load_fails_no_request_and_every_answer_names_who_painted(registry):
    async def test() -> None:
        async with opened(following(registry.settings)) as (studio, client, _):
            answers: list[httpx.Response] = []
            stop = asyncio.Event()

            async def load() -> None:
                while not stop.is_set():
                    answers.append(await stylize(client, IMAGE))

            loads = [asyncio.create_task(load()) for _ in range(3)]
            await asyncio.to_thread(registry.promote, 2, force_reason="a test")
            await paints(client, "pentimento/2")
            await asyncio.to_thread(registry.rollback)
            await paints(client, "pentimento/1")
            stop.set()
            await asyncio.gather(*loads)
            digests = {version.name: version.digest for version in registry.versions()}
            assert {answer.status_code for answer in answers} == {200}
            assert all(digests[a.headers["x-model-version"]] == a.headers["x-model-digest"] for a in answers)
            assert {answer.headers["x-model-version"] for answer in answers} == {"pentimento/1", "pentimento/2"}
            told = studio.metrics.exposition().decode()
            assert 'pentimento_model_changes_total{outcome="swapped",role="champion"} 3.0' in told
            assert 'role="champion",version="pentimento/2"} 0.0' in told  # no longer the one that paints

    run(test)


def test_a_rollback_needs_no_loading_for_the_one_before_stays_in_memory(registry):
    async def test() -> None:
        async with opened(following(registry.settings)) as (studio, client, _):
            first = studio.models.resident()
            registry.promote(2, force_reason="a test")
            await paints(client, "pentimento/2")
            assert (await client.get("/v1/model")).json()["spare"] == "pentimento/1"
            shutil.rmtree(registry.settings.packages_folder)  # nothing is there to load it from
            shutil.rmtree(registry.settings.artifact_root)
            registry.rollback()
            await paints(client, "pentimento/1", within_s=0.05 + 1)
            assert studio.models.resident() is first

    run(test)


@pytest.mark.parametrize("kind", ["does not paint golden/output.png", "is damaged in the registry"])
def test_a_bad_version_is_refused_with_its_reason_and_the_old_one_goes_on(registry, tiny_package, tmp_path, kind):
    async def test() -> None:
        async with opened(following(registry.settings)) as (studio, client, _):
            if kind.startswith("does"):
                register_unproved(registry.settings, broken(tiny_package, tmp_path))
                registry.promote(3, force_reason="a test")
            else:
                for weights in registry.settings.artifact_root.rglob("weights.safetensors"):
                    weights.write_bytes(weights.read_bytes()[:-1])
                registry.promote(2, force_reason="a test")
            await until(lambda: studio.models.champion.refused is not None)
            model = (await client.get("/v1/model")).json()
            assert kind in model["refused"]["reason"]
            assert (model["state"], model["version"]) == ("ready", "pentimento/1")
            assert (await stylize(client, IMAGE)).headers["x-model-version"] == "pentimento/1"
            assert 'pentimento_model_refused{role="champion"} 1.0' in studio.metrics.exposition().decode()
            registry.rollback()
            await until(lambda: studio.models.champion.refused is None)
            assert "refused" not in (await client.get("/v1/model")).json()

    run(test)


def test_a_registry_that_is_gone_changes_nothing_for_those_who_paint(registry):
    async def test() -> None:
        async with opened(following(registry.settings)) as (studio, client, _):
            (registry.settings.home / "mlflow.db").write_bytes(b"no database any more\n" * 1000)
            await until(lambda: studio.models.champion.problem is not None)
            assert "MLflow store" in (await client.get("/v1/model")).json()["unreachable"]
            assert (await client.get("/readyz")).status_code == 200
            assert (await stylize(client, IMAGE)).status_code == 200

    run(test)


def test_a_hint_makes_it_look_at_once(registry):
    async def test() -> None:
        async with opened(replace(following(registry.settings), poll_s=3600)) as (_, client, _front):
            registry.promote(2, force_reason="a test")
            assert (await client.post("/v1/model/refresh")).status_code == 202
            await paints(client, "pentimento/2")

    run(test)


def test_a_challenger_gets_its_share_and_a_key_always_meets_the_same_version(registry):
    async def test() -> None:
        settings = following(registry.settings, challenger="models:/pentimento/2", challenger_share=0.5)
        async with opened(settings) as (studio, client, _):
            await until(lambda: studio.models.rival() is not None)
            met = {}
            for number in range(24):
                answers = [await stylize(client, IMAGE, key=f"user-{number}") for _ in range(2)]
                versions = {answer.headers["x-model-version"] for answer in answers}
                assert len(versions) == 1
                met[number] = versions.pop()
            assert 4 <= list(met.values()).count("pentimento/2") <= 20  # outside once in 6,000 tries for a fair coin
            without = {(await stylize(client, IMAGE)).headers["x-model-version"] for _ in range(3)}
            assert len(without) == 1  # without a key the photograph decides
            told = studio.metrics.exposition().decode()
            assert 'pentimento_paintings_total{outcome="painted",role="challenger",version="pentimento/2"}' in told
            assert (await client.get("/v1/model")).json()["challenger"]["version"] == "pentimento/2"
            assert (await stylize(client, IMAGE, key="a b")).status_code == 422

    run(test)


def test_a_challenger_in_the_shadow_is_measured_and_answers_nobody(registry):
    async def test() -> None:
        settings = following(registry.settings, challenger="models:/pentimento/2", challenger_share=1.0)
        async with opened(replace(settings, challenger_mode="shadow")) as (studio, client, _):
            await until(lambda: studio.models.rival() is not None)
            assert (await stylize(client, IMAGE)).headers["x-model-version"] == "pentimento/1"
            shadow = 'pentimento_paintings_total{outcome="painted",role="challenger",version="pentimento/2"} 1.0'
            await until(lambda: shadow in studio.metrics.exposition().decode())

    run(test)


def test_a_challenger_that_breaks_costs_nobody_an_answer(registry):
    async def test() -> None:
        settings = following(registry.settings, challenger="models:/pentimento/2", challenger_share=1.0)
        async with opened(settings) as (studio, client, _):
            await until(lambda: studio.models.rival() is not None)
            break_engine(studio)
            answer = await stylize(client, IMAGE)
            assert (answer.status_code, answer.headers["x-model-version"]) == (200, "pentimento/1")
            assert 'outcome="failed",role="challenger"' in studio.metrics.exposition().decode()

    run(test)


class BrokenEngine(GatedEngine):
    """A real engine that has lost its nerve."""

    def stylize(self, *arguments: Any, **options: Any) -> Pixels:
        raise ZeroDivisionError


def break_engine(studio: Studio) -> None:
    rival = studio.models.rival()
    assert rival is not None
    assert studio.models.challenger is not None
    studio.models.challenger.current = replace(rival, engine=BrokenEngine(rival.engine))


def test_a_challenger_that_is_withdrawn_paints_no_more(registry, tmp_path, tiny_package):
    async def test() -> None:
        registry.challenge(2)
        settings = following(registry.settings, challenger="models:/pentimento@challenger", challenger_share=1.0)
        async with opened(settings) as (studio, client, _):
            await paints(client, "pentimento/2")
            registry.withdraw_challenger()
            await paints(client, "pentimento/1")
            assert studio.models.rival() is None
            assert "version" not in (await client.get("/v1/model")).json()["challenger"]

    run(test)


def test_the_librarys_codes_are_made_for_a_new_version_before_anybody_asks(registry):
    async def test() -> None:
        async with opened(following(registry.settings)) as (studio, client, _):
            registry.promote(2, force_reason="a test")
            await paints(client, "pentimento/2")
            model = studio.models.resident()
            await until(lambda: not studio._jobs)
            counted = studio.library.refresh_codes(model.engine)
            assert (counted.made, counted.finished) == ((), True)

    run(test)


def test_an_image_of_the_other_version_is_the_same_bytes_when_the_weights_are(registry, photo):
    async def test() -> None:
        async with opened(following(registry.settings)) as (_, client, _front):
            first = (await stylize(client, encode_picture(photo))).content
            registry.promote(2, force_reason="a test")
            await paints(client, "pentimento/2")
            assert (await stylize(client, encode_picture(photo))).content == first

    run(test)
