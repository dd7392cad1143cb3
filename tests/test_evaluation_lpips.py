"""LPIPS's backbone: read from a folder where its own file lies there, refused by name and with the cure where not."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from cli.main import pentimento
from cli.outcome import COULD_NOT_RUN, run_politely
from evaluation import lpips_metrics
from evaluation.meters import Wanted, content_scores


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The only folder in which weights are looked for; empty."""
    for name in ("PENTIMENTO_WEIGHTS", "PENTIMENTO_ASSETS", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    lpips_metrics.load_lpips.cache_clear()
    yield tmp_path
    lpips_metrics.load_lpips.cache_clear()


def test_a_file_as_torchvision_writes_it_is_read_checked_and_measures(folder, monkeypatch):
    torch.manual_seed(3)
    network = lpips_metrics.empty_lpips("alex")
    theirs = {
        f"features.{name.split('.', 1)[1]}": values
        for name, values in network.get_submodule("net").state_dict().items()
    }
    written = folder / "written.pth"
    torch.save(theirs | {"classifier.1.weight": torch.zeros(1)}, written)
    digest = hashlib.sha256(written.read_bytes()).hexdigest()
    monkeypatch.setitem(lpips_metrics.FILES, "alex", f"alexnet-owt-{digest[:8]}.pth")
    assert not lpips_metrics.lpips_is_available("alex")
    lpips_metrics.load_lpips.cache_clear()
    written.rename(folder / lpips_metrics.FILES["alex"])
    photo, painted = torch.rand(2, 3, 64, 80, generator=torch.Generator().manual_seed(0)).mul(2).sub(1).split(1)
    measured = content_scores(painted, photo, Wanted(lpips="alex"))["lpips"]
    assert measured == pytest.approx(network(photo, painted).flatten().tolist(), rel=1e-5)


@pytest.mark.parametrize("backbone", ["alex", "vgg"])
def test_a_backbone_that_was_asked_for_by_name_and_is_not_here_stops_the_judgement_with_the_cure(
    backbone, folder, capsys
):
    words = ["evaluate", "pretrained:compact", "--data", "sample", "--quick", "--out", str(folder / "out")]
    words += ["--lpips-backbone", backbone]
    code = run_politely(lambda: pentimento.main(words, prog_name="pentimento", standalone_mode=False))
    said = capsys.readouterr().err
    assert code == COULD_NOT_RUN
    assert f"fetch https://download.pytorch.org/models/{lpips_metrics.FILES[backbone]}" in said
    assert "PENTIMENTO_WEIGHTS" in said
    assert not (folder / "out").exists()
