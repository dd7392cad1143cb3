"""Films: what goes in comes out painted, with its sound, timing and colours; what cannot is refused with the reason."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cli.main import pentimento
from cli.outcome import COULD_NOT_RUN, PASSED, WRONG_USAGE, run_politely
from motion.flow import optical_flow, warp
from runtime.engine import Engine
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels
from tests.film_world import FULL, pan, read_film, sound_packets, write_film
from video.coherence import FilmPainter
from video.colour_maps import apply_colours, fit_colours
from video.decoding import Damage, probe, read_frames
from video.errors import FilmBusy, NoVideoStream, StyleKeysError, UnreadableVideo, UnsupportedVideo
from video.film import Painted, paint_film
from video.shots import is_cut
from video.style_keys import StyleKey, StyleTrack, parse_keys, read_keys


@pytest.fixture(scope="module")
def code(tiny_engine: Engine, painting: Pixels) -> StyleCode:
    return tiny_engine.encode_style(painting)


@pytest.fixture(scope="module")
def track(code: StyleCode) -> StyleTrack:
    return StyleTrack((StyleKey(0, "s"),), lambda _: code)


def paint(source: Path, target: Path, engine: Engine, track: StyleTrack, **settings: object) -> Painted:
    return paint_film(source, target, engine, track, Dials(), segment_frames=4, **settings)  # type: ignore[arg-type]


def test_a_film_keeps_size_timing_range_and_sound(tmp_path: Path, tiny_engine: Engine, track: StyleTrack):
    times_ms = [0, 40, 80, 200, 240, 400, 440, 480, 1000, 1040]  # a variable frame rate
    source = write_film(tmp_path / "in.mp4", pan(10), pts_ms=times_ms, color_range=FULL, sound=True)
    painted = paint(source, tmp_path / "out.mp4", tiny_engine, track)
    frames, times, first = read_film(tmp_path / "out.mp4")
    assert painted.frames == len(frames) == 10
    assert frames[0].shape == (64, 96, 3)
    np.testing.assert_allclose(times, np.array(times_ms) / 1000, atol=1e-3)
    assert first.color_range == FULL
    assert sound_packets(tmp_path / "out.mp4") == sound_packets(source) != []
    assert set(painted.per_frame_ms) == {"decode", "flow", "paint", "blend", "encode"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


@pytest.mark.parametrize("color_range", [1, 2])
def test_at_strength_zero_colours_come_back_as_they_went_in(
    tmp_path: Path, tiny_engine: Engine, track: StyleTrack, color_range: int
):
    source = write_film(tmp_path / "in.mp4", pan(3), color_range=color_range)
    paint_film(source, tmp_path / "out.mkv", tiny_engine, track, Dials(strength=0), quality=1)
    before, after = read_film(source)[0], read_film(tmp_path / "out.mkv")[0]
    assert np.abs(before[1].astype(int) - after[1]).mean() < 3
    assert abs(before[1].mean() - after[1].mean()) < 0.5


@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv444p"])
def test_ten_bits_and_full_chroma_are_read(tmp_path: Path, tiny_engine: Engine, track: StyleTrack, pixel_format: str):
    source = write_film(tmp_path / "in.mp4", pan(2), pixel_format=pixel_format)
    frames = list(read_frames(probe(source), Damage()))
    assert np.abs(frames[0].pixels.astype(int) - pan(2)[0]).mean() < 4
    assert paint(source, tmp_path / "out.mp4", tiny_engine, track).frames == 2


@pytest.mark.parametrize(("rotation", "turns"), [(-90, -1), (90, 1), (180, 2)])
def test_a_phone_film_is_painted_upright(
    tmp_path: Path, tiny_engine: Engine, track: StyleTrack, rotation: int, turns: int
):
    source = write_film(tmp_path / "phone.mp4", pan(2), rotation=rotation)
    film = probe(source)
    upright = next(read_frames(film, Damage())).pixels
    assert np.abs(upright.astype(int) - np.rot90(pan(2)[0], turns)).mean() < 4
    paint(source, tmp_path / "out.mp4", tiny_engine, track)
    frames, _, first = read_film(tmp_path / "out.mp4")
    assert frames[0].shape == upright.shape
    assert first.rotation == 0


def test_an_odd_size_is_kept(tmp_path: Path, tiny_engine: Engine, track: StyleTrack):
    source = write_film(tmp_path / "odd.mp4", pan(2, size=(63, 95)), pixel_format="yuv444p")
    paint(source, tmp_path / "out.mp4", tiny_engine, track)
    assert read_film(tmp_path / "out.mp4")[0][0].shape == (63, 95, 3)


def test_damaged_places_are_passed_over_and_counted(tmp_path: Path, tiny_engine: Engine, track: StyleTrack):
    source = write_film(tmp_path / "in.mp4", pan(30))
    blob = bytearray(source.read_bytes())
    start, end = blob.index(b"mdat"), blob.index(b"moov")
    for place in range(start + (end - start) // 3, end - 100, 400):
        blob[place : place + 40] = b"\xff" * 40
    source.write_bytes(blob)
    painted = paint(source, tmp_path / "out.mp4", tiny_engine, track)
    assert painted.damage.lost + painted.damage.patched > 0
    assert 5 < painted.frames <= 30
    assert len(read_film(tmp_path / "out.mp4")[0]) == painted.frames


def test_a_film_that_is_cut_short_is_painted_as_far_as_it_goes(tmp_path: Path, tiny_engine: Engine, track: StyleTrack):
    source = write_film(tmp_path / "in.ts", pan(30))
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    assert 1 <= paint(source, tmp_path / "out.mp4", tiny_engine, track).frames < 30


def test_what_is_no_film_is_refused_with_the_reason(tmp_path: Path, tiny_engine: Engine, track: StyleTrack):
    import av

    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no film")
    with av.open(str(tmp_path / "song.mp4"), "w") as out:
        stream = out.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    whole = write_film(tmp_path / "whole.mp4", pan(2))
    (tmp_path / "header.mp4").write_bytes(whole.read_bytes()[:100])
    hdr = write_film(tmp_path / "hdr.mp4", pan(2), pixel_format="yuv420p10le", curve=16)
    cases = [
        ("nowhere.mp4", UnreadableVideo, "nowhere.mp4: cannot be read"),
        ("empty.mp4", UnreadableVideo, "empty.mp4 is empty"),
        ("text.mp4", UnreadableVideo, "text.mp4"),
        ("header.mp4", UnreadableVideo, "header.mp4"),
        ("song.mp4", NoVideoStream, "no video stream .it holds: audio"),
        (hdr.name, UnsupportedVideo, "high dynamic range, PQ"),
    ]
    for name, error, words in cases:
        with pytest.raises(error, match=words):
            paint(tmp_path / name, tmp_path / "out.mp4", tiny_engine, track)
    with pytest.raises(UnsupportedVideo, match=r"cannot write \.gif; use \.mp4"):
        paint(whole, tmp_path / "out.gif", tiny_engine, track)
    assert not (tmp_path / "out.mp4").exists()


def test_an_interrupted_film_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path, tiny_engine: Engine, track: StyleTrack
):
    source = write_film(tmp_path / "in.mp4", pan(7) + pan(7, seed=5), sound=True)

    class Killed(BaseException):
        pass

    def kill(done: int, total: int, cuts: int) -> None:
        if done == 10:
            raise Killed

    whole = paint(source, tmp_path / "whole.mp4", tiny_engine, track)
    with pytest.raises(Killed):
        paint(source, tmp_path / "out.mp4", tiny_engine, track, progress=kill)
    assert not (tmp_path / "out.mp4").exists()
    finished = paint(source, tmp_path / "out.mp4", tiny_engine, track)
    assert finished.resumed == 8
    assert whole.shots == finished.shots == 2
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    with pytest.raises(Killed):
        paint(source, tmp_path / "out.mp4", tiny_engine, track, progress=kill)
    assert paint(source, tmp_path / "out.mp4", tiny_engine, track, quality=30).resumed == 0  # another order: anew


def test_two_painters_of_one_film_are_refused(tmp_path: Path, tiny_engine: Engine, track: StyleTrack):
    source = write_film(tmp_path / "in.mp4", pan(2))

    def meanwhile(done: int, total: int, cuts: int) -> None:
        with pytest.raises(FilmBusy, match="held by process"):
            paint(source, tmp_path / "out.mp4", tiny_engine, track)

    paint(source, tmp_path / "out.mp4", tiny_engine, track, progress=meanwhile)


def test_cuts_are_found_and_nothing_else():
    one, other = pan(8, step_px=5), pan(3, seed=9)
    film = one + other
    assert [i for i in range(1, len(film)) if is_cut(film[i - 1], film[i])] == [8]
    dark = [np.clip(frame.astype(int) - 6 * i, 0, 255).astype(np.uint8) for i, frame in enumerate(one)]
    assert not any(is_cut(*pair) for pair in pairwise(dark))


def test_the_colour_map_finds_an_affine_change_and_leaves_a_flat_frame_alone():
    frame = pan(1)[0].astype(np.float32)
    change = np.array([[0.5, 0.1, 0], [0, 0.7, 0.2], [0.1, 0, 0.6], [20, 30, 5]], np.float32)
    np.testing.assert_allclose(fit_colours(frame, apply_colours(change, frame)), change, atol=0.5)
    flat = np.full_like(frame, 80)
    np.testing.assert_allclose(apply_colours(fit_colours(flat, flat + 10), flat), flat + 10, atol=1e-2)


def test_strokes_move_with_the_picture_and_not_with_the_screen(tiny_engine: Engine, code: StyleCode):
    """The shower door: the grain of frames painted one by one stands still while the picture moves."""
    frames = pan(12, step_px=3)
    painter = FilmPainter(tiny_engine, Dials(), held=None)
    held = [painter.paint(frame, code).astype(np.float32) for frame in frames]
    alone = [tiny_engine.stylize(frame, code).astype(np.float32) for frame in frames]
    flow = optical_flow(frames[-1], frames[-2])
    middle = (slice(8, -8), slice(8, -8))

    def moved(film: list[np.ndarray]) -> float:
        return float(np.abs(film[-1] - warp(film[-2], flow))[middle].mean())

    assert moved(held) < 0.5 * moved(alone)


def test_the_content_statistics_are_those_of_the_shot(tiny_engine: Engine, code: StyleCode):
    """A frame in which a bright thing appears keeps the colours of everything else."""
    frames = pan(3, step_px=0)
    bright = frames[0].copy()
    bright[20:44, 60:84] = 255
    painter = FilmPainter(tiny_engine, Dials())
    first, second = painter.paint(frames[0], code), painter.paint(bright, code)
    left = (slice(None), slice(0, 40))
    alone = tiny_engine.stylize(bright, code)
    drift = np.abs(second[left].astype(int) - first[left]).mean()
    assert drift < 0.5 * np.abs(alone[left].astype(int) - first[left]).mean()


def test_strength_zero_returns_the_frames_bit_for_bit(tiny_engine: Engine, code: StyleCode):
    painter = FilmPainter(tiny_engine, Dials(strength=0))
    for frame in pan(3):
        np.testing.assert_array_equal(painter.paint(frame, code), frame)


def test_styles_turn_into_one_another_between_their_keys(tiny_engine: Engine, painting: Pixels):
    codes = {"a": tiny_engine.encode_style(painting), "b": tiny_engine.encode_style(painting[:, ::-1] // 2)}
    track = StyleTrack(parse_keys(("a@1", "b@3")), codes.__getitem__)
    assert track.at(0) is track.at(1) is codes["a"]
    assert track.at(3) is track.at(9) is codes["b"]
    np.testing.assert_allclose(track.at(2).colour, (codes["a"].colour + codes["b"].colour) / 2, atol=1e-6)
    same = StyleTrack(parse_keys(("a@1", "a@3")), codes.__getitem__)
    assert same.at(2) is codes["a"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("a", "b"), "does not say when"),
        (("a@x", "b@2"), "'x' is no time"),
        (("a@-1", "b@2"), "'-1' is no time"),
        (("a@2", "b@2"), "both at 2 s"),
    ],
)
def test_keys_that_cannot_be_followed_are_named(words: tuple[str, ...], reason: str):
    with pytest.raises(StyleKeysError, match=reason):
        parse_keys(words)


def test_keys_are_read_from_a_list(tmp_path: Path):
    path = tmp_path / "keys.csv"
    path.write_text("seconds,style\n4.5,monet.jpg\n0,night-swirls\n")
    assert read_keys(path) == (StyleKey(0, "night-swirls"), StyleKey(4.5, "monet.jpg"))
    for text, reason in [
        ("when,what\n1,2\n", "seconds,style"),
        ("seconds,style\n1,\n", "line 2: no style"),
        ("", "columns"),
    ]:
        path.write_text(text)
        with pytest.raises(StyleKeysError, match=reason):
            read_keys(path)


def test_the_command_paints_and_refuses(
    tmp_path: Path, tiny_package: Path, painting: Pixels, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    from stylenet.pictures import write_picture

    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path / "home"))
    write_picture(painting, tmp_path / "style.png")
    source = write_film(tmp_path / "in.mp4", pan(3))

    def run(*words: object) -> tuple[int, str, str]:
        arguments = ["video", *map(str, words), "--model", str(tiny_package), "--engine", "torch"]
        result = run_politely(lambda: pentimento.main(arguments, prog_name="pentimento", standalone_mode=False))
        said = capsys.readouterr()
        return result, said.out, said.err

    exit_code, out, err = run(source, tmp_path / "out.mp4", "--style", tmp_path / "style.png", "--json")
    assert exit_code == PASSED, err
    result = json.loads(out)
    assert result["frames"] == 3
    assert result["written"] == str(tmp_path / "out.mp4")
    assert "frame 3 of 3" in err
    (tmp_path / "empty.mp4").touch()
    exit_code, out, err = run(tmp_path / "empty.mp4", tmp_path / "x.mp4", "--style", tmp_path / "style.png")
    assert (exit_code, out) == (COULD_NOT_RUN, "")
    assert "is empty" in err
    assert run(source, tmp_path / "x.mp4")[0] == WRONG_USAGE
