"""Batch: what is found, that each picture is painted once whatever is killed, and that bad ones are named."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from batch.errors import BatchError, JobBusy, ListError, NothingToPaint, TargetConflict
from batch.job import Result, run_job
from batch.journal import FILE_NAME
from batch.pipeline import paint_here
from batch.sheets import write_sheets
from batch.tasks import Tasks, find_tasks
from cli.main import pentimento
from cli.outcome import COULD_NOT_RUN, PASSED, WRONG_USAGE, run_politely
from runtime.engine import Engine
from stylenet.codes import StyleCode
from stylenet.dials import Dials
from stylenet.images import Pixels
from stylenet.pictures import encode_picture, read_picture, write_picture

ROOT = Path(__file__).resolve().parents[1]
Job = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, photo: Pixels) -> Path:
    """Six pictures in three folders and four formats, two that are none, and a note."""
    shots = tmp_path / "shots"
    for number, name in enumerate(["one.png", "two.jpg", "a/three.webp", "a/b/four.jpeg", "a/b/five é.png"]):
        write_picture(np.roll(photo, 9 * number, axis=1)[: 60 + number], shots / name)
    Image.fromarray(photo[:40]).save(shots / "six.tif")
    (shots / "empty.jpg").touch()
    (shots / "a" / "cut.png").write_bytes(encode_picture(photo)[:900])
    (shots / "note.txt").write_text("no picture")
    (shots / ".hidden.png").write_bytes(encode_picture(photo))
    return shots


@pytest.fixture
def job(tiny_engine: Engine, painting: Pixels) -> Job:
    """Run a job with the tiny engine."""
    codes = {"s": tiny_engine.encode_style(painting), "t": tiny_engine.encode_style(painting[:, ::-1] // 2)}

    def run(found: Tasks, out: Path, **settings: object) -> Result:
        return run_job(
            found.tasks, out, lambda orders: paint_here(orders, tiny_engine, codes), codes, made_by="x", **settings
        )  # type: ignore[arg-type]

    return run


def find(source: object, out: Path, **settings: object) -> Tasks:
    return find_tasks(str(source), out, **{"style": "s", "dials": Dials(), **settings})  # type: ignore[arg-type]


def contents(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and not path.name.startswith(".pentimento-batch")
    }


def test_a_folder_is_painted_with_its_structure_and_its_names(folder: Path, tmp_path: Path, job: Job):
    out = tmp_path / "out"
    found = find(folder, out)
    assert found.ignored == 1
    result = job(found, out)
    assert result.painted == ("a/b/five é.png", "a/b/four.jpeg", "a/three.webp", "one.png", "six.png", "two.jpg")
    assert sorted(contents(out)) == sorted(result.painted)
    assert read_picture(out / "a/three.webp").shape == (62, 128, 3)
    assert [failure.source.name for failure in result.failed] == ["cut.png", "empty.jpg"]
    assert "is empty" in result.failed[1].reason


def test_a_painting_is_the_engines_own_to_the_byte(
    folder: Path, tmp_path: Path, job: Job, tiny_engine: Engine, painting: Pixels
):
    job(find(folder / "one.png", tmp_path / "out"), tmp_path / "out")
    code = tiny_engine.encode_style(painting)
    expected = encode_picture(tiny_engine.stylize(read_picture(folder / "one.png"), code, Dials()))
    assert (tmp_path / "out" / "one.png").read_bytes() == expected


def test_globs_find_what_they_name_and_the_output_is_never_searched(folder: Path, tmp_path: Path, job: Job):
    out = folder / "painted"
    names = [task.name for task in find(f"{folder}/**/*.png", out).tasks]
    assert names == ["a/b/five é.png", "a/cut.png", "one.png"]
    job(find(folder, out), out)
    assert [task.name for task in find(f"{folder}/**/*.png", out).tasks] == names
    assert not any("painted" in task.name for task in find(folder, out).tasks)


def test_a_list_gives_each_picture_its_style_and_dials(folder: Path, tmp_path: Path, job: Job):
    with open(folder / "list.csv", "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["picture", "style", "strength", "keep_color", "out"])
        writer.writerows([["one.png", "t", "0.5", "yes", ""], ["one.png", "", "0", "", "again/one.png"]])
    found = find(folder / "list.csv", tmp_path / "out")
    again, first = found.tasks
    assert (first.style, first.dials.strength, first.dials.keep_color) == ("t", 0.5, True)
    assert (again.style, again.dials.strength, again.name) == ("s", 0, "again/one.png")
    job(found, tmp_path / "out")
    np.testing.assert_array_equal(read_picture(tmp_path / "out/again/one.png"), read_picture(folder / "one.png"))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("photo,style\na.png,s", "no column 'picture'|unknown column 'photo'"),
        ("picture,stile\na.png,s", "unknown column 'stile'"),
        ("picture,style\n,s", "line 2: no picture"),
        ("picture,style\na.png,", "line 2: no style"),
        ("picture,style,strength\na.png,s,2", "line 2: strength=2.0 is out of range"),
        ("picture,style,strength\na.png,s,much", "line 2: could not convert"),
        ("picture,style,keep_color\na.png,s,maybe", "line 2: keep_color='maybe'"),
        ("picture,style,out\na.png,s,../../x.png", "leads out of the output folder"),
    ],
)
def test_a_list_that_cannot_be_followed_names_the_line(tmp_path: Path, lines: str, reason: str):
    (tmp_path / "list.csv").write_text(lines)
    with pytest.raises(ListError, match=reason):
        find(tmp_path / "list.csv", tmp_path / "out", style=None)


def test_paintings_never_replace_photographs_or_one_another(folder: Path, tmp_path: Path):
    with pytest.raises(TargetConflict, match="overwritten by its painting"):
        find(folder, folder)
    (folder / "one.jpg").write_bytes((folder / "two.jpg").read_bytes())
    with pytest.raises(TargetConflict, match=r"both become one\.webp"):
        find(folder, tmp_path / "out", picture_format="webp")
    (tmp_path / "nothing").mkdir()
    for nothing in (tmp_path / "nothing", tmp_path / "nowhere", f"{tmp_path}/*.xyz"):
        with pytest.raises(NothingToPaint):
            find(nothing, tmp_path / "out")


def test_a_finished_job_does_nothing_and_a_changed_one_paints_what_changed(folder: Path, tmp_path: Path, job: Job):
    out = tmp_path / "out"
    job(find(folder, out), out)
    before = contents(out)
    again = job(find(folder, out), out)
    assert again.painted == ()
    assert len(again.kept) == 6
    assert len(again.failed) == 2  # tried again: somebody may have mended them
    (out / "one.png").unlink()
    (out / "two.jpg").write_bytes(b"half")
    assert job(find(folder, out), out).painted == ("one.png", "two.jpg")
    assert contents(out) == before
    assert len(job(find(folder, out, dials=Dials(strength=0.5)), out).painted) == 6


def test_a_file_that_no_batch_has_written_is_left_alone(folder: Path, tmp_path: Path, job: Job):
    out = tmp_path / "out"
    out.mkdir()
    (out / "one.png").write_bytes(b"mine")
    result = job(find(folder / "one.png", out), out)
    assert "no batch has written it" in result.failed[0].reason
    assert (out / "one.png").read_bytes() == b"mine"
    assert job(find(folder / "one.png", out), out, overwrite=True).painted == ("one.png",)


def test_two_jobs_in_one_folder_are_refused(folder: Path, tmp_path: Path, job: Job):
    out = tmp_path / "out"

    def meanwhile(done: int, total: int, elapsed_s: float, name: str) -> None:
        with pytest.raises(JobBusy, match="held by process"):
            job(find(folder, out), out)

    job(find(folder / "one.png", out), out, progress=meanwhile)


def test_the_contact_sheet_shows_every_painting(folder: Path, tmp_path: Path, job: Job):
    out = tmp_path / "out"
    names = job(find(folder, out), out).painted
    (out / "contact-sheet-9.jpg").touch()
    (sheet,) = write_sheets(out, names)
    assert sheet.name == "contact-sheet-1.jpg"
    assert read_picture(sheet).shape[1] == 8 + 6 * 200
    assert len(write_sheets(out, names * 9)) == 2
    assert not (out / "contact-sheet-9.jpg").exists()


def painted(out: Path) -> int:
    return len(list(out.glob("[0-9]*.png")))


def command(folder: Path, out: Path, package: Path, style: Path) -> list[str]:
    words = ["batch", folder, out, "--style", style, "--model", package, "--engine", "torch", "--no-sheet", "--json"]
    return [sys.executable, "-m", "cli.main", *map(str, words)]


def test_a_killed_job_goes_on_and_every_painting_is_there_once(
    tmp_path: Path, photo: Pixels, painting: Pixels, tiny_package: Path, job: Job
):
    shots, out, style = tmp_path / "shots", tmp_path / "out", tmp_path / "style.png"
    for number in range(40):
        write_picture(np.roll(photo, number, axis=1), shots / f"{number:02d}.png")
    write_picture(painting, style)
    environment = {**os.environ, "PENTIMENTO_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "2"}
    running = subprocess.Popen(
        command(shots, out, tiny_package, style),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 200
    while running.poll() is None and time.monotonic() < deadline and painted(out) < 6:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert 6 <= painted(out) < 40
    finished = subprocess.run(
        command(shots, out, tiny_package, style), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    result = json.loads(finished.stdout)
    assert len(result["kept"]) >= 4
    assert len(result["kept"]) + len(result["painted"]) == 40
    whole = tmp_path / "whole"
    job(find(shots, whole), whole)
    assert contents(out) == contents(whole)
    assert sorted(path.name for path in out.iterdir() if path.name.startswith(".")) == sorted(
        [FILE_NAME, ".pentimento-batch.lock"]
    )


def test_the_command_lists_bad_files_and_exits_with_4(
    folder: Path,
    tmp_path: Path,
    tiny_package: Path,
    painting: Pixels,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
):
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path / "home"))
    write_picture(painting, tmp_path / "style.png")

    def run(*words: object) -> tuple[int, str, str]:
        arguments = ["batch", *map(str, words), "--model", str(tiny_package)]
        result = run_politely(lambda: pentimento.main(arguments, prog_name="pentimento", standalone_mode=False))
        said = capsys.readouterr()
        return result, said.out, said.err

    code, out, err = run(folder, tmp_path / "out", "--style", tmp_path / "style.png", "--engine", "torch")
    assert code == COULD_NOT_RUN
    assert len(out.splitlines()) == 6
    assert "6 painted" in err
    assert "1 other files ignored" in err
    assert "empty.jpg is empty" in err
    assert "cut.png" in err
    assert (tmp_path / "out" / "contact-sheet-1.jpg").is_file()
    code, out, _ = run(folder / "one.png", tmp_path / "o2", "--style", tmp_path / "style.png", "--json")
    assert code == PASSED
    assert json.loads(out)["painted"] == [str(tmp_path / "o2" / "one.png")]
    assert run(folder, tmp_path / "o3", "--style", "nobody")[0] == WRONG_USAGE
    assert "give --style" in run(folder, tmp_path / "o3")[2]


def test_ray_gives_the_same_bytes_though_a_worker_is_killed(
    tmp_path: Path, photo: Pixels, painting: Pixels, tiny_package: Path, tiny_engine: Engine
):
    pytest.importorskip("ray", reason="needs the extra `ray`")
    from batch.cluster import paint_on_ray
    from runtime.loading import load_engine

    shots = tmp_path / "shots"
    for number in range(24):
        write_picture(np.roll(photo, number, axis=1), shots / f"{number:02d}.png")
    engine = load_engine(tiny_package, "auto")
    codes: dict[str, StyleCode] = {"s": engine.encode_style(painting)}
    found = find(shots, tmp_path)
    killed: list[int] = []

    def on_ray(orders: list) -> object:  # type: ignore[type-arg]
        for count, outcome in enumerate(paint_on_ray(orders, package=tiny_package, codes=codes, workers=2)):
            if count == 6:
                killed.append(outcome.worker)
                os.kill(outcome.worker, signal.SIGKILL)
            yield outcome

    cluster = run_job(found.tasks, tmp_path / "ray", on_ray, codes, made_by="x")  # type: ignore[arg-type]
    run_job(found.tasks, tmp_path / "here", lambda orders: paint_here(orders, engine, codes), codes, made_by="x")
    engine.close()
    assert killed
    assert len(cluster.painted) == 24
    assert contents(tmp_path / "ray") == contents(tmp_path / "here")


def test_what_batch_raises_has_one_base():
    assert all(issubclass(error, BatchError) for error in (JobBusy, ListError, NothingToPaint, TargetConflict))
