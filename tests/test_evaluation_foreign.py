"""Somebody else's ONNX file or folder of pictures is judged like everybody; one that breaks the contract is named."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from evaluation_painters import Painting, careful, smearing
from evaluation_world import small_settings, write_data
from onnx import TensorProto, helper

from evaluation.errors import MethodError
from evaluation.foreign import BLENDED, FinishedPictures, is_foreign, open_foreign
from evaluation.harness import evaluate
from evaluation.methods import blend
from evaluation.pairs import Manifest, make_manifest
from evaluation.scores import EQUAL_STYLE
from runtime.errors import PackageError
from runtime.foreign import ForeignGraph
from stylenet.pictures import resize_short_side, write_picture


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Manifest:
    return make_manifest(write_data(tmp_path_factory.mktemp("foreign")), small_settings())


def write_graph(
    path: Path, *, with_dial: bool, names: tuple[str, str] = ("image", "style"), crop: bool = False
) -> Path:
    """image - (image - mean of the style) * 0.5 (times the strength): half of the way to the style's mean colour."""
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, f"h_{name}", f"w_{name}"]) for name in names
    ]
    nodes = [
        helper.make_node("ReduceMean", [names[1]], ["mean"], axes=[2, 3], keepdims=1),
        helper.make_node("Sub", [names[0], "mean"], ["away"]),
        helper.make_node("Mul", ["away", "half"], ["step"]),
    ]
    step = "step"
    if with_dial:
        inputs.append(helper.make_tensor_value_info("strength", TensorProto.FLOAT, [1]))
        nodes.append(helper.make_node("Mul", ["step", "strength"], ["dialled"]))
        step = "dialled"
    nodes.append(helper.make_node("Sub", [names[0], step], ["whole" if crop else "painted"]))
    constants = [helper.make_tensor("half", TensorProto.FLOAT, [1], [0.5])]
    if crop:
        nodes.append(helper.make_node("Slice", ["whole", "starts", "ends", "axes"], ["painted"]))
        constants += [
            helper.make_tensor(name, TensorProto.INT64, [1], [k])
            for name, k in (("starts", 0), ("ends", 8), ("axes", 2))
        ]
    output = helper.make_tensor_value_info("painted", TensorProto.FLOAT, [1, 3, "h", "w"])
    graph = helper.make_graph(nodes, "foreign", inputs, [output], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def test_an_onnx_file_paints_what_its_graph_says(tmp_path, photo, painting):
    graph = ForeignGraph(write_graph(tmp_path / "theirs.onnx", with_dial=True), threads=1)
    mean = painting.reshape(-1, 3).mean(axis=0)
    for strength in (0.0, 0.5, 1.0):
        expected = photo + (mean - photo) * 0.5 * strength
        assert np.abs(graph.paint(photo, painting, strength) - expected).max() <= 1


def test_a_method_without_a_dial_is_swept_by_blending_and_says_so(tmp_path, manifest):
    method = open_foreign(write_graph(tmp_path / "theirs.onnx", with_dial=False))
    photo, style = manifest.photographs[0], manifest.paintings[0]
    full = method.paint(photo, style, 1.0)
    assert np.array_equal(method.paint(photo, style, 0.0), photo.pixels)
    assert np.array_equal(method.paint(photo, style, 0.25), blend(photo.pixels, full, 0.25))
    assert BLENDED in method.info().note
    assert method.recipe()().key == method.key
    dialled = open_foreign(write_graph(tmp_path / "dialled.onnx", with_dial=True))
    assert BLENDED not in dialled.info().note
    assert dialled.key != method.key


def test_an_onnx_file_that_breaks_the_contract_is_refused_with_what_is_needed(tmp_path, manifest, photo, painting):
    with pytest.raises(PackageError, match="content, style"):
        ForeignGraph(write_graph(tmp_path / "a.onnx", with_dial=False, names=("content", "style")))
    (tmp_path / "b.onnx").write_bytes(b"no graph")
    with pytest.raises(PackageError, match="cannot be read as an ONNX graph"):
        ForeignGraph(tmp_path / "b.onnx")
    cropping = open_foreign(write_graph(tmp_path / "c.onnx", with_dial=False, crop=True))
    with pytest.raises(MethodError, match="painted shape"):
        cropping.paint(manifest.photographs[0], manifest.paintings[0], 1.0)


def write_finished(folder: Path, manifest: Manifest, *, suffix: str = "", scale: int = 1) -> Path:
    for i, j in manifest.pairs():
        photo, style = manifest.photographs[i], manifest.paintings[j]
        painted = careful(photo.pixels, style.pixels, 1.0)
        painted = resize_short_side(painted, scale * photo.short_side_px)
        write_picture(painted, folder / f"{Path(photo.name).stem}__{Path(style.name).stem}{suffix}.png")
    return folder


def test_a_folder_of_finished_pictures_is_judged_beside_everybody(tmp_path, manifest):
    folder = write_finished(tmp_path / "gallery", manifest)
    report = evaluate(
        open_foreign(folder, "candidate"),
        data=manifest.photographs[0].source.path.parents[1],
        out=tmp_path / "out",
        adain=Painting("baseline", smearing),
        baselines=[open_foreign(write_graph(tmp_path / "theirs.onnx", with_dial=True))],
        settings=type(small_settings())(**(small_settings().as_dict() | {"strengths": (0.0, 0.5, 1.0), "examples": 1})),
    )
    assert report.candidate.engine == "finished pictures"
    assert report.candidate.digest == FinishedPictures.open(folder, "x").digest
    assert {"theirs", "adain", "raw_blend"} <= set(report.comparisons)
    assert report.comparison("theirs", EQUAL_STYLE, "all", "ssim") is not None
    assert [info.name for info in report.baselines if info.name == "theirs"] == ["theirs"]
    assert report.dials == ()


def test_larger_pictures_are_shrunk_and_smaller_or_missing_ones_refused_by_name(tmp_path, manifest):
    photo, style = manifest.photographs[0], manifest.paintings[0]
    large = open_foreign(write_finished(tmp_path / "large", manifest, scale=2))
    assert large.paint(photo, style, 1.0).shape == photo.pixels.shape
    folder = write_finished(tmp_path / "small", manifest)
    path = folder / f"{Path(photo.name).stem}__{Path(style.name).stem}.png"
    write_picture(np.zeros((32, 32, 3), dtype=np.uint8), path)
    with pytest.raises(MethodError, match=r"is 32x32; the photograph is judged at"):
        open_foreign(folder).paint(photo, style, 1.0)
    path.unlink()
    with pytest.raises(MethodError, match="every judged pair needs its picture"):
        open_foreign(folder).paint(photo, style, 1.0)


def test_pictures_at_every_strength_are_a_sweep_of_their_own(tmp_path, manifest):
    photo, style = manifest.photographs[0], manifest.paintings[0]
    folder = write_finished(tmp_path / "sweep", manifest, suffix="@0.50")
    method = open_foreign(folder)
    assert np.array_equal(method.paint(photo, style, 0.5), careful(photo.pixels, style.pixels, 1.0))
    with pytest.raises(MethodError, match=r"@1\.00"):
        method.paint(photo, style, 1.0)
    assert "a picture a strength" in method.info().note


def test_a_package_is_not_foreign_and_nothing_is_no_method(tmp_path, tiny_package):
    assert not is_foreign(tiny_package)
    assert not is_foreign(tmp_path / "pretrained:compact")
    assert is_foreign(tmp_path / "any.onnx")
    with pytest.raises(MethodError, match="neither a file nor a folder"):
        open_foreign(tmp_path / "any.onnx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MethodError, match="holds no pictures"):
        open_foreign(tmp_path / "empty")
    (tmp_path / "adain").mkdir()
    with pytest.raises(MethodError, match="my-adain"):
        open_foreign(tmp_path / "adain")


def test_the_digest_of_a_folder_follows_every_picture(tmp_path, manifest):
    folder = write_finished(tmp_path / "gallery", manifest)
    before = open_foreign(folder).key
    assert open_foreign(folder, "another name").key == before
    write_picture(np.zeros((96, 96, 3), dtype=np.uint8), sorted(folder.iterdir())[0])
    assert open_foreign(folder).key != before
