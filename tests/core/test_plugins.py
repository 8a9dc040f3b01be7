"""Plug-ins of every kind, installed from a wheel, and what broken ones do: nothing but a sentence."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core import plugins
from core.engine.by_hand import finish
from core.engine.events import ClassicalImage, Discarded, Failed, Progress, Started
from core.engine.job import JobSpec, ScanSource
from core.engine.methods import METHODS, known_methods
from core.engine.offers import methods_for, settings_of
from core.engine.runner import run
from core.engine.settings import ReconSettings, used_by
from core.engine.stop import Stop
from core.errors import JobError, PriorError, ScanError
from core.formats import open_scan
from core.formats.plugged import FORMATS
from core.operators.linear import dot_test
from core.operators.plugged import OPERATORS, operator_named, operators_for
from core.priors import load_prior
from core.priors.catalogue import card_of, find_prior, list_priors
from core.priors.plugged import PRIORS
from core.scan import KSpace

SOURCE = Path(__file__).parents[1] / "plugin_example"
GROUPS = (FORMATS, OPERATORS, PRIORS, METHODS)


@pytest.fixture(autouse=True)
def looked_for_anew() -> Iterator[None]:
    for group in GROUPS:
        group.forget()
    yield
    for group in GROUPS:
        group.forget()
    for name in [n for n in sys.modules if n.split(".")[0] in ("dds_example", "their_package")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example has been installed from the wheel that its source makes."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(SOURCE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    code = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
    words = [sys.executable, "-c", code, str(folder)]
    subprocess.run(words, cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def example(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(site))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install their_package with the code of its only module and its entry points, as in a pyproject.toml."""

    def write(code: str, package: str = "their-package", **entries: dict[str, str]) -> None:
        site = tmp_path / package
        about = site / f"{package.replace('-', '_')}-0.1.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1\n")
        points = [
            f"[dds_viewer.{group}]\n" + "".join(f"{n} = {target}\n" for n, target in named.items())
            for group, named in entries.items()
        ]
        (about / "entry_points.txt").write_text("\n".join(points))
        (site / "their_package.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))

    return write


@pytest.fixture
def toy_file(make_scan: Callable[..., KSpace], tmp_path: Path) -> Path:
    path = tmp_path / "scan.toy"
    with path.open("wb") as file:
        file.write(b"TOY1")
        np.save(file, make_scan(coils=1).data[0, 0, 0, :, 0])
    return path


def method_job(scan: KSpace, method: str = "landweber", **settings: object) -> JobSpec:
    return JobSpec(ScanSource("toy"), ReconSettings(method=method, device="cpu", **settings), scan)


def test_nothing_is_imported_before_it_is_needed(example: None, make_scan: Callable[..., KSpace]) -> None:
    assert "landweber" in known_methods()
    assert ReconSettings(method="landweber").method == "landweber"
    assert FORMATS.names() == ("toy",)
    assert "dds_example" not in sys.modules
    assert "landweber" in methods_for(make_scan())
    assert "dds_example.landweber" in sys.modules
    assert "dds_example.toy_format" not in sys.modules


def test_a_format_opens_like_any_other(example: None, toy_file: Path) -> None:
    scan = open_scan(toy_file)
    assert isinstance(scan, KSpace)
    assert scan.provenance.format == "Toy"
    assert scan.matrix == (1, 48, 40)
    assert "what was named was not used" in open_scan(toy_file, axes="coil,ky,kx").provenance.not_understood[-1]
    FORMATS.forget()
    np.save(toy_file.with_suffix(".npy"), scan.data[0, 0, 0, :, 0])
    assert open_scan(toy_file.with_suffix(".npy"), axes="coil,ky,kx").provenance.format != "Toy"


def test_what_a_format_refuses_is_told_in_its_own_words(example: None, tmp_path: Path) -> None:
    path = tmp_path / "flat.toy"
    with path.open("wb") as file:
        file.write(b"TOY1")
        np.save(file, np.ones(4))
    with pytest.raises(ScanError, match="Its array has 1 axes"):
        open_scan(path)
    path.write_bytes(b"TOY1 and no array")
    with pytest.raises(ScanError, match=r"The format toy of dds-example 1.2 failed \(.*update or remove"):
        open_scan(path)
    assert FORMATS.names() == ("toy",), "one bad file is no reason to give the format up"


def test_an_operator_is_made_and_put_to_the_test(example: None, make_scan: Callable[..., KSpace]) -> None:
    assert operators_for(make_scan(coils=1)) == ("one-coil",)
    assert operators_for(make_scan(coils=4)) == ()
    operator = operator_named("one-coil", make_scan(coils=1))
    assert operator.domain_shape == (1, 48, 40)
    assert dot_test(operator) < 1e-6
    with pytest.raises(JobError, match=r"no operator 'one-coil' for this scan.*none"):
        operator_named("one-coil", make_scan(coils=4))


def test_an_operator_without_its_adjoint_is_refused(install: Callable[..., None], make_scan) -> None:
    code = (
        "from dds_example.one_coil import MaskedFourier, OneCoil\n"
        "class Wrong(MaskedFourier):\n    def adjoint(self, y):\n        return 2 * super().adjoint(y)\n"
        "class Theirs(OneCoil):\n    def operator(self, scan, device):\n"
        "        return Wrong(super().operator(scan, device).mask)\n"
    )
    sys.path.insert(0, str(SOURCE))
    try:
        install(code, operators={"wrong": "their_package:Theirs"})
        with pytest.raises(JobError, match="has no true adjoint"):
            operator_named("wrong", make_scan(coils=1))
    finally:
        sys.path.remove(str(SOURCE))


def test_a_prior_goes_by_its_name_and_runs(example: None, make_scan: Callable[..., KSpace]) -> None:
    entry = next(e for e in list_priors() if e.path.stem == "toy-blur")
    assert (entry.package, entry.bundled) == ("dds-example 1.2", True)
    assert card_of("toy-blur") == entry.card
    prior = load_prior("toy-blur")
    assert prior.card.sha256
    assert prior.card.parameters == 9
    with pytest.raises(PriorError, match="comes with dds-example"):
        find_prior("toy-blur")
    settings = ReconSettings(prior="toy-blur", nfe=3, cg_steps=2, device="cpu")
    finished = finish(JobSpec(ScanSource("toy"), settings, make_scan()))
    assert finished.card["inputs"]["prior"] == prior.card.sha256
    assert "A toy: it only blurs." in finished.card["outcome"]["warnings"]


def test_a_users_prior_comes_before_a_plugins(example: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.priors import catalogue

    monkeypatch.setattr(catalogue, "user_folder", lambda: tmp_path)
    bundled = catalogue.bundled_folder()
    for suffix in (".json", ".safetensors"):
        shutil.copy(bundled / f"mri-small{suffix}", tmp_path / f"toy-blur{suffix}")
    assert find_prior("toy-blur").parent == tmp_path
    assert load_prior("toy-blur").card.family == "small"
    assert [e.package for e in list_priors() if e.path.stem == "toy-blur"] == [""]


def test_a_method_reconstructs_with_the_settings_it_uses(example: None, make_scan: Callable[..., KSpace]) -> None:
    scan = make_scan(noise=1e-3)
    assert methods_for(scan)[0] == "dds"
    assert methods_for(scan)[-1] == "landweber"
    assert used_by("landweber") == ("method", "iterations", "device")
    assert settings_of("landweber", scan) == used_by("landweber")
    events = list(run(method_job(scan, iterations=7)))
    assert [e.done for e in events if isinstance(e, Progress) and e.stage == "Landweber"] == list(range(7))
    finished = events[-1]
    assert finished.card["versions"]["method"] == "dds-example 1.2"
    assert finished.card["outcome"]["residual"] < 0.1
    image = finished.volume.array
    again = finish(method_job(scan, iterations=7)).volume.array
    assert np.array_equal(image, again)
    fewer = finish(method_job(scan, iterations=1)).volume.array
    assert not np.array_equal(image, fewer)


def test_a_method_is_not_offered_for_what_it_does_not_fit(example: None, make_projections) -> None:
    scan = make_projections()
    assert "landweber" not in methods_for(scan)
    assert isinstance(list(run(method_job(scan)))[-1], Failed)


def test_a_method_is_discarded_like_any_other(example: None, make_scan: Callable[..., KSpace]) -> None:
    stop, seen = Stop(), []
    for event in run(method_job(make_scan(), iterations=5000), stop):
        seen.append(event)
        if isinstance(event, Progress) and event.stage == "Landweber" and event.done == 2:
            stop.discard()
    assert isinstance(seen[-1], Discarded)
    assert len(seen) < 40


BAD_METHOD = """
import torch
class Method:
    label, uses = "Theirs", ("iterations",)
    def fits(self, scan): return True
    def steps(self, settings): return 3
    def iterates(self, operator, y, settings, stop):
        {body}
"""


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("yield operator.adjoint(y); raise KeyError('oops')", "after 1 steps.*KeyError: 'oops'"),
        ("raise SystemExit(3)\n        yield", "SystemExit"),
        ("yield from ()", "it gave no image"),
        ("yield None", "gave NoneType and no image"),
        ("yield operator.adjoint(y)[:, :3]", r"shape \(1, 3, 40\)"),
        ("yield operator.adjoint(y) * float('nan')", "NaN"),
        ("return 5", "TypeError"),
    ],
)
def test_a_method_that_breaks_down_fails_the_run_in_words(
    install: Callable[..., None], make_scan, body: str, told: str
) -> None:
    install(BAD_METHOD.format(body=body), methods={"theirs": "their_package:Method"})
    last = list(run(method_job(make_scan(), "theirs")))[-1]
    assert isinstance(last, Failed)
    assert "Update or remove their-package 0.1" in last.error.try_this
    with pytest.raises(JobError, match=f"(?s){told}"):
        raise last.error


def test_a_method_for_ct_is_shown_beside_filtered_back_projection(
    install: Callable[..., None], make_projections
) -> None:
    body = "yield operator.adjoint(y)"
    install(BAD_METHOD.format(body=body), methods={"theirs": "their_package:Method"})
    scan = make_projections()
    assert methods_for(scan)[-1] == "theirs"
    events = list(run(method_job(scan, "theirs")))
    assert [e.method for e in events if isinstance(e, ClassicalImage)] == ["fbp", "theirs"]
    assert events[-1].volume.unit == "HU"


def test_settings_that_a_method_does_not_name_right_are_left_out(install: Callable[..., None], make_scan) -> None:
    code = BAD_METHOD.format(body="yield operator.adjoint(y)")
    install(code.replace('("iterations",)', '("lam", "nonsense", 3)'), methods={"theirs": "their_package:Method"})
    assert used_by("theirs") == ("method", "lam", "device")
    METHODS.forget()
    sys.modules["their_package"].Method.uses = None
    assert used_by("theirs") == ()
    assert "TypeError" in plugins.troubles()[0]


def test_a_method_without_end_is_ended(install: Callable[..., None], make_scan) -> None:
    body = "x = operator.adjoint(y)\n        while True: yield x"
    install(BAD_METHOD.format(body=body), methods={"theirs": "their_package:Method"})
    assert any(isinstance(e, Started) for e in run(method_job(make_scan(), "theirs")))


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("import sys; sys.exit(1)", "SystemExit: 1"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def (", "SyntaxError"),
        ("x = 1", "has no attribute 'Method'"),
        ("class Method: pass", "it has no label, no uses, no fits, no steps, no iterates"),
        ("class Method:\n    def __init__(self, x): pass", "missing 1 required"),
        (BAD_METHOD.format(body="pass").replace("return True", "raise OSError('x' * 999)"), "OSError: xxx"),
    ],
)
def test_a_broken_plugin_is_a_sentence(install: Callable[..., None], make_scan, code: str, trouble: str) -> None:
    install(code, methods={"theirs": "their_package:Method"})
    assert "theirs" not in methods_for(make_scan())
    (words,) = plugins.troubles()
    assert words.startswith("The method theirs of their-package 0.1 is not used: ")
    assert trouble in words
    assert len(words) < 260
    assert "theirs" not in known_methods()
    with pytest.raises(JobError, match="cannot be 'theirs'"):
        ReconSettings(method="theirs")
    assert used_by("theirs") == ()


def test_a_survey_finds_what_nobody_has_asked_for(install: Callable[..., None]) -> None:
    install("raise RuntimeError('no licence')", methods={"theirs": "their_package:Method"})
    assert plugins.troubles() == ()
    (words,) = plugins.survey()
    assert "no licence" in words
    assert plugins.troubles() == (words,)


def test_a_format_that_fails_to_claim_is_asked_no_more(install: Callable[..., None], tmp_path: Path) -> None:
    install(
        "asked = []\ndef claims(path):\n    asked.append(path)\n    raise OSError('busy')\ndef read(path): pass\n",
        formats={"theirs": "their_package"},
    )
    path = tmp_path / "what.xyz"
    path.write_bytes(b"something else")
    for _ in range(2):
        with pytest.raises(ScanError, match=r"theirs of their-package 0\.1 is not used: OSError: busy"):
            open_scan(path)
    assert len(sys.modules["their_package"].asked) == 1


def test_what_a_format_reads_must_be_a_scan(install: Callable[..., None], tmp_path: Path) -> None:
    install("def claims(path): return True\ndef read(path): return [1]\n", formats={"theirs": "their_package"})
    path = tmp_path / "what.xyz"
    path.write_bytes(b"something else")
    with pytest.raises(ScanError, match="it gave a list and no scan"):
        open_scan(path)


@pytest.mark.parametrize(
    ("group", "name"),
    [("formats", "fastmri"), ("operators", "sense"), ("priors", "mri-small"), ("methods", "dds"), ("methods", "a b")],
)
def test_names_of_the_program_and_odd_ones_are_refused(install: Callable[..., None], group: str, name: str) -> None:
    install("raise AssertionError('never imported')", **{group: {name: "their_package"}})
    known = next(g for g in GROUPS if g.name == f"dds_viewer.{group}")
    assert known.names() == ()
    assert known.load(name) is None
    (plugin,) = known.survey()
    assert ("one of that name" if name != "a b" else "letters") in plugin.trouble
    assert "their_package" not in sys.modules


def test_of_two_of_one_name_the_second_is_refused(install: Callable[..., None]) -> None:
    for package in ("b-package", "a-package"):
        install(BAD_METHOD.format(body="pass"), package, methods={"twice": "their_package:Method"})
    used, refused = METHODS.survey()
    assert (used.package, used.trouble) == ("a-package 0.1", "")
    assert refused.words == "The method twice of b-package 0.1 is not used: a-package 0.1 has one of that name."


def test_a_prior_whose_network_fails_is_told(install: Callable[..., None]) -> None:
    code = "from dds_example.toy_blur import card\ndef network(): raise OSError('no weights')\n"
    sys.path.insert(0, str(SOURCE))
    try:
        install(code, priors={"theirs": "their_package"})
        with pytest.raises(PriorError, match=r"OSError: no weights.*remove their-package 0.1"):
            load_prior("theirs")
    finally:
        sys.path.remove(str(SOURCE))


def test_the_command_line_lists_and_runs_them(
    example: None, install: Callable[..., None], toy_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.cli import main

    install("raise RuntimeError('no licence')", operators={"theirs": "their_package"})
    out = tmp_path / "image.npy"
    main(["recon", str(toy_file), "--out", str(out), "--method", "landweber", "--iterations", "3", "--device", "cpu"])
    assert np.load(out).shape == (1, 48, 40)
    with pytest.raises(SystemExit):
        main(["recon", str(toy_file), "--out", str(out), "--method", "nonsense"])
    assert "is not one of 'dds'" in capsys.readouterr().err
    main(["prior", "list"])
    assert "dds-example 1.2" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    told = capsys.readouterr().out
    assert ended.value.code == 0, told
    for expected in ("format toy", "operator one-coil", "prior toy-blur", "method landweber", "no licence"):
        assert expected in told
