"""A policy file is checked key by key, and a wrong one never turns into a lenient one."""

import hashlib
from pathlib import Path

import pytest
import yaml

from evaluation.errors import PolicyError
from evaluation.policy import load_policy

ROOT = Path(__file__).resolve().parents[1]
GOOD = {
    "schema_version": 1,
    "name": "test",
    "minimum_pairs": 4,
    "minimum_photographs": 3,
    "minimum_paintings": 1,
    "required_metrics": ["ssim"],
    "rules": [{"name": "floor", "metric": "ssim", "at_least": 0.5}],
}


def write(folder: Path, content: object) -> Path:
    path = folder / "policy.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["policy.yaml", "policy-demo.yaml"])
def test_the_shipped_policies_can_be_read_and_their_digest_is_the_file_s(name):
    policy = load_policy(ROOT / "configs" / name)
    assert policy.digest == hashlib.sha256((ROOT / "configs" / name).read_bytes()).hexdigest()


def test_real_data_needs_lpips_and_buildings_and_the_embedded_sample_does_not():
    real, demo = (load_policy(ROOT / "configs" / name) for name in ("policy.yaml", "policy-demo.yaml"))
    assert "lpips" in real.required_metrics
    assert "building" in real.required_slices
    assert "lpips" not in demo.required_metrics
    assert not any(rule.metric == "lpips" for rule in demo.rules)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"minimum_pairs": 0}, "minimum_pairs"),
        ({"minimum_photographs": 2}, "minimum_photographs"),
        ({"minimum_pears": 3}, "minimum_pears"),
        ({"required_metrics": []}, "required_metrics"),
        ({"required_metrics": ["sim"]}, "required_metrics.0"),
        ({"extractor": "vgg16"}, "extractor"),
        ({"rules": []}, "rules"),
        ({"rules": [{"name": "a", "metric": "ssim"}]}, "rules.0.*exactly one of at_least and at_most"),
        ({"rules": [{"name": "a", "metric": "ssim", "at_least": 0, "at_most": 1}]}, "rules.0.*exactly one"),
        ({"rules": [{"name": "a", "metric": "ssim", "at_least": float("nan")}]}, "rules.0.at_least"),
        ({"rules": [{"name": "a", "metric": "ssim", "at_least": "much"}]}, "rules.0.at_least"),
        ({"rules": [{"name": "a", "metric": "ssim", "at_leest": 0.5}]}, "rules.0.at_leest"),
        ({"rules": [{"name": "a", "metric": "reach", "at": "full_strength", "at_least": 1}]}, "rules.0.*equal_style"),
        ({"rules": [{"name": "a", "metric": "ssim", "at_least": 0.5}] * 2}, "two rules are called 'a'"),
        ({"rules": [{"name": "a", "metric": "ssym", "at_least": 0.5}]}, "rules.0.metric.*there are ssim"),
        ({"dials": {"strenght": 0.1}}, "strenght.*there are strength"),
        ({"dials": {"strength": 0}}, "dials.strength"),
        ({"confidence": 0.5}, "confidence"),
        ({"study": {"at_least": 1.5}}, "study.at_least"),
    ],
)
def test_a_wrong_value_is_refused_and_its_key_is_named(tmp_path, change, where):
    with pytest.raises(PolicyError, match=where):
        load_policy(write(tmp_path, GOOD | change))


@pytest.mark.parametrize("key", ["schema_version", "minimum_pairs", "required_metrics", "rules"])
def test_a_missing_key_is_named(tmp_path, key):
    with pytest.raises(PolicyError, match=key):
        load_policy(write(tmp_path, {name: value for name, value in GOOD.items() if name != key}))


def test_a_key_that_stands_twice_is_refused(tmp_path):
    text = yaml.safe_dump(GOOD) + "minimum_pairs: 1\n"
    with pytest.raises(PolicyError, match="'minimum_pairs' stands twice"):
        load_policy(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "words"), [("a: [", "not usable YAML"), ("- a", "not keys and values"), ("", "NoneType")]
)
def test_a_file_that_is_no_policy_is_refused(tmp_path, text, words):
    with pytest.raises(PolicyError, match=words):
        load_policy(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PolicyError, match=r"nowhere\.yaml.*configs/policy\.yaml"):
        load_policy(tmp_path / "nowhere.yaml")
