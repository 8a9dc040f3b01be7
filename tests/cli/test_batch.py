"""dds-viewer batch and worker, as their users type them."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FAST = ("--nfe", "2", "--cg-steps", "1", "--device", "cpu")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def batch(
    dds_viewer: Callable[..., object], scan_file: Path, prior_file: Path, tmp_path: Path
) -> Callable[..., object]:
    for ending in (".cfl", ".hdr"):
        shutil.copy(scan_file.with_suffix(ending), tmp_path / f"second{ending}")

    def call(*words: object) -> object:
        scans = (scan_file, tmp_path / "second.cfl")
        return dds_viewer("batch", *scans, "--prior", prior_file, "--out", tmp_path / "b", *FAST, *words)

    return call


def test_here_and_again(batch, tmp_path: Path) -> None:
    outcome = batch("--here", "--format", "npy")
    assert outcome.code == 0, outcome.err
    assert "2 of 2 scans. Research use only." in outcome.out
    names = {path.name.partition("-")[0] for path in (tmp_path / "b").glob("*.npy")}
    assert names == {"scan", "second"}
    assert "2 of 2 scans, 2 of them before" in batch("--here", "--format", "npy").out


def test_a_scan_that_is_none_is_told(batch, tmp_path: Path) -> None:
    (tmp_path / "second.cfl").write_bytes(b"x")
    outcome = batch("--here")
    assert outcome.code == 1
    assert "second: failed." in outcome.err
    assert "1 of 2 scans, 1 failed" in outcome.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--here", "--workers", "2"), "without a cluster"),
        (("--scheduler", "192.168.0.9:1"), "SSH tunnel"),
        (("--scheduler", "127.0.0.1", "--tls-cert", "x"), "three files"),
        (("--here", "--format", "xyz"), "format"),
        (("--here", "--slices", "a"), "slices"),
    ],
)
def test_refused(batch, words: tuple[str, ...], told: str) -> None:
    outcome = batch(*words)
    assert outcome.code == 2
    assert told in outcome.err


def test_a_batch_varies_nothing(batch, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("vary: {nfe: 2:3:1}\n")
    outcome = batch("--here", "--settings", tmp_path / "s.yaml")
    assert outcome.code == 2
    assert "Use sweep" in outcome.err


@pytest.mark.parametrize("words", [("--listen", "0.0.0.0:8786"), ("--scheduler", "10.0.0.1"), ("--listen", "x:y")])
def test_a_worker_listens_on_loopback_unless_there_is_tls(dds_viewer, words: tuple[str, ...]) -> None:
    outcome = dds_viewer("worker", *words)
    assert outcome.code == 2
    assert "TLS" in outcome.err or "no address" in outcome.err


@pytest.mark.parametrize("command", ["sweep", "batch", "worker"])
def test_the_help_says_what_is_unpickled(dds_viewer, command: str) -> None:
    text = " ".join(dds_viewer(command, "--help").out.split())
    assert "pickled code" in text
    assert "loopback" in text
    assert "--tls-ca" in text


class TestOnACluster:
    """With a worker as on a server, in a process of its own."""

    @pytest.fixture(autouse=True)
    def no_thread_left(self) -> None:
        """Dask keeps threads of its own for the next cluster."""

    @pytest.fixture
    def server(self) -> Iterator[tuple[subprocess.Popen[str], str]]:
        words = [sys.executable, "-m", "app", "worker", "--listen", "127.0.0.1:0", "--threads", "1"]
        with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            try:
                yield process, line.split()[2].rstrip(".")
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)

    def test_worker_batch_and_sweep(self, batch, dds_viewer, scan_file: Path, prior_file: Path, tmp_path: Path, server):
        process, address = server
        assert address.startswith("tcp://127.0.0.1:")
        outcome = batch("--scheduler", address.removeprefix("tcp://"))
        assert outcome.code == 0, outcome.err
        assert len(list((tmp_path / "b").glob("*.nii.gz"))) == 2
        words = ("--vary", "seed=0,1", "--out", tmp_path / "s", "--prior", prior_file, *FAST)
        swept = dds_viewer("sweep", scan_file, *words, "--scheduler", address)
        assert "2 of 2 cells" in swept.out
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Traceback" not in out + err
