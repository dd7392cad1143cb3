"""What is sent, when it is sent, and what its answer must be."""

import io
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage.metrics import structural_similarity

from loadtests import checks
from loadtests.checks import Answer
from loadtests.golden import Golden, Goldens, ssim, structure_kept
from loadtests.marking import mark
from loadtests.mix import Scene, shots_of
from loadtests.phases import schedule, windows
from loadtests.pictures import painting_jpeg, photograph_jpeg
from loadtests.records import Record
from loadtests.slo import Mix, Phase, load_slo

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
SCENE = Scene(styles=("waves", "night"), may_upload=True, run_id="load-x")
HEADERS = {
    "content-type": "image/png",
    "x-model-version": "pentimento/1",
    "x-model-digest": "a" * 64,
    "server-timing": "stylize;dur=1",
    "x-request-id": "1",
}


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def picture_answer(**changes: object) -> Answer:
    body = png(Image.new("RGB", (192, 144), "red"))
    return Answer(**{"status": 200, "headers": HEADERS, "body": body, **changes})  # type: ignore[arg-type]


def test_a_right_picture_is_right_and_every_way_to_be_wrong_is_named():
    sent = photograph_jpeg(192, 144)

    def wrong(answer: Answer, size: tuple[int, int] = (192, 144)) -> str:
        return str(checks.wrong_picture(answer, size_px=size, picture_format="png", sent=sent))

    right = picture_answer()
    assert wrong(right) == "None"
    assert "status 500" in wrong(picture_answer(status=500))
    assert "192x144 instead of 10x10" in wrong(right, (10, 10))
    assert "broken picture" in wrong(picture_answer(body=right.body[: len(right.body) // 2]))
    assert "broken picture" in wrong(picture_answer(body=b"<html>"))
    assert "content type" in wrong(picture_answer(headers={"content-type": "text/html"}))
    assert "is JPEG" in wrong(picture_answer(body=sent))
    assert "x-model-digest" in wrong(picture_answer(headers={**HEADERS, "x-model-digest": ""}))
    assert "sha256" in wrong(picture_answer(headers={**HEADERS, "x-model-digest": "abc"}))
    assert "unpainted" in wrong(picture_answer(body=png(Image.open(io.BytesIO(sent)))))


def test_json_answers_and_refusals_are_held_to_their_form():
    assert checks.wrong_styles(Answer(200, {}, b'{"styles": [{"id": "x"}]}')) is None
    assert checks.wrong_styles(Answer(200, {}, b'{"styles": []}'))
    assert checks.wrong_styles(Answer(200, {}, b"[]"))
    assert checks.wrong_model(Answer(200, {}, b'{"version": "1"}'))
    assert checks.wrong_model(Answer(503, {}, b"{}"))
    assert checks.wrong_thumbnail(Answer(200, {}, photograph_jpeg(16, 16))) is None
    assert checks.wrong_thumbnail(Answer(200, {}, b"no"))
    assert checks.wrong_thumbnail(Answer(404, {}, b""))
    assert checks.wrong_creation(Answer(201, {}, b'{"id": "x"}'), "id") is None
    assert checks.wrong_creation(Answer(201, {}, b"{}"), "id")
    assert checks.wrong_creation(Answer(200, {}, b'{"id": "x"}'), "id")
    assert checks.wrong_removal(Answer(204, {}, b"")) is None
    assert checks.wrong_removal(Answer(404, {}, b""))
    good = Answer(422, {"content-type": "application/problem+json"}, b'{"detail": "what"}')
    assert checks.wrong_refusal(good, statuses=(422,)) is None
    assert checks.wrong_refusal(good, statuses=(400, 404))
    assert checks.wrong_refusal(Answer(422, {}, b""), statuses=(422,))
    assert checks.wrong_refusal(Answer(422, good.headers, b"{}"), statuses=(422,))


def test_only_429_and_503_that_say_until_when_are_shed():
    assert checks.shed_after_s(Answer(429, {"retry-after": "3"}, b"")) == 3
    assert checks.shed_after_s(Answer(503, {"retry-after": "0"}, b"")) == 0
    assert checks.shed_after_s(Answer(429, {}, b"")) is None
    assert checks.shed_after_s(Answer(429, {"retry-after": "soon"}, b"")) is None
    assert checks.shed_after_s(Answer(500, {"retry-after": "3"}, b"")) is None


def test_the_blocks_likeness_follows_the_trusted_one_and_is_1_only_of_the_same():
    photo = np.asarray(Image.open(io.BytesIO(photograph_jpeg(160, 120))), dtype=np.float64)
    noise = np.random.default_rng(0).normal(0, 1, photo.shape)
    assert ssim(photo, photo) == pytest.approx(1)
    before = 1.0
    for strength in (2, 8, 32):
        noisy = np.clip(photo + strength * noise, 0, 255)
        ours, theirs = ssim(photo, noisy), structural_similarity(photo, noisy, channel_axis=2, data_range=255)
        assert ours == pytest.approx(theirs, abs=0.08)
        assert ours < before
        before = ours
    with pytest.raises(ValueError, match="160x120"):
        ssim(photo, photo[:50])


def test_a_painting_shows_its_own_photograph_and_no_other():
    photo, other = photograph_jpeg(320, 240), photograph_jpeg(320, 240, seed=2)
    negative = png(ImageOps.invert(Image.open(io.BytesIO(photo)).convert("RGB")).resize((160, 120)))
    assert structure_kept(photo, negative) > 0.9
    assert structure_kept(other, negative) < 0.4
    assert structure_kept(photo, png(Image.new("RGB", (160, 120), "red"))) == 0


def test_the_same_bytes_as_when_idle_are_right_and_others_must_look_alike():
    shot = next(shot for shot in shots_of(Mix(), SCENE) if shot.name == "picture in waves")
    golden = ImageOps.invert(Image.open(io.BytesIO(shot.photo)).convert("RGB"))
    goldens = Goldens(0.95)
    goldens.add(shot.name, Golden(png(golden), "a" * 64))

    def marked(picture: Image.Image, **headers: str) -> Record:
        record = Record("load", shot.name, shot.endpoint, 0.0)
        mark(record, shot, Answer(200, {**HEADERS, **headers}, png(picture)), goldens)
        return record

    same, near, far = marked(golden), marked(golden.point(lambda v: min(255, v + 1))), marked(ImageOps.flip(golden))
    assert (same.problem, same.ssim, same.version) == (None, None, "pentimento/1")
    assert near.problem is None
    assert (near.ssim or 0) > 0.95
    assert "SSIM below" in str(far.problem)
    other_model = marked(ImageOps.flip(golden), **{"x-model-digest": "b" * 64})
    assert (other_model.problem, other_model.ssim) == (
        None,
        None,
    )  # promoted meanwhile: there is nothing to compare with


def test_the_mixture_has_what_it_is_told_and_no_upload_where_none_may_be():
    shots = shots_of(Mix(), SCENE)
    assert {shot.endpoint for shot in shots} == {"stylize", "photos", "style upload", "styles", "model", "bad input"}
    weights = Counter[str]()
    for shot in shots:
        weights[shot.endpoint] += shot.weight
    assert weights["bad input"] == pytest.approx(1)
    reading = Scene(styles=("waves",), may_upload=False, run_id="x")
    assert "style upload" not in {shot.endpoint for shot in shots_of(Mix(), reading)}
    assert {shot.endpoint for shot in shots_of(Mix(preview=0, picture=0, own_style=0), reading)} == {
        "photos", "styles", "model", "bad input",
    }  # fmt: skip


def test_no_two_uploads_are_the_same_style_also_between_workers():
    uploads = [
        shot
        for worker in (0, 1)
        for shot in shots_of(Mix(), Scene(styles=("waves",), may_upload=True, run_id="x", worker=worker))
        if shot.endpoint == "style upload"
    ]
    assert len({shot.body() for shot in uploads for _ in range(3)}) == 6


def test_a_schedule_sends_exactly_what_was_asked_and_is_the_same_every_time():
    shots = shots_of(Mix(), SCENE)
    phases = windows([Phase(name="a", rate_per_s=20, duration_s=3), Phase(name="b", rate_per_s=5, duration_s=2)])
    arrivals = schedule(shots, phases, seed=1)
    assert Counter(arrival.phase for arrival in arrivals) == {"a": 60, "b": 10}
    assert [arrival.at_s for arrival in arrivals] == sorted(arrival.at_s for arrival in arrivals)
    assert all(0 <= a.at_s < 3 if a.phase == "a" else 3 <= a.at_s < 5 for a in arrivals)
    assert arrivals == schedule(shots, phases, seed=1)
    assert arrivals != schedule(shots, phases, seed=2)
    assert {arrival.shot.endpoint for arrival in arrivals if arrival.phase == "a"} == {shot.endpoint for shot in shots}


def test_a_long_schedule_has_the_mixture_s_shares_nearly_exactly():
    shots = shots_of(Mix(), SCENE)
    arrivals = schedule(shots, windows([Phase(name="a", rate_per_s=100, duration_s=20)]), seed=random.randrange(1000))
    total = sum(shot.weight for shot in shots)
    for shot in shots:
        assert sum(arrival.shot is shot for arrival in arrivals) == pytest.approx(2000 * shot.weight / total, abs=16)


def test_what_is_sent_is_the_same_every_time():
    assert photograph_jpeg(64, 48) == photograph_jpeg(64, 48)
    assert photograph_jpeg(64, 48) != photograph_jpeg(64, 48, seed=2)
    assert painting_jpeg(64, 48) == painting_jpeg(64, 48)
    assert painting_jpeg(64, 48) != painting_jpeg(64, 48, seed="2")


@pytest.mark.parametrize("name", ["slo.yaml", "slo-smoke.yaml"])
def test_the_promises_that_we_ship_can_be_used_and_cover_what_is_sent(name):
    slo = load_slo(CONFIGS / name)
    assert {shot.endpoint for shot in shots_of(slo.mix, SCENE)} | {"style removal"} == set(slo.endpoints)
    if name == "slo.yaml":
        assert list(slo.shapes) == ["smoke", "step", "spike", "soak", "breakpoint"]
