"""What a run is compared with: found, on the image's grid or refused in words, within a mask, named on the card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.engine.events import Failed, Finished, Started
from core.engine.job import JobSpec, ScanSource
from core.engine.reference_source import ReferenceSource, digest_of_source
from core.engine.run_card import job_from_card
from core.engine.runner import run
from core.engine.settings import ReconSettings
from core.errors import ScanError
from core.export import save
from core.hounsfield import mu_from_hu
from core.quality import compare
from core.scan import Volume

NY, NX, NZ = 48, 40, 3
PLACED = np.array([[2.0, 0, 0, -40], [0, 2.0, 0, -48], [0, 0, 5.0, 10], [0, 0, 0, 1]])
TURNED = np.array([[-2.0, 0, 0, 38], [0, 0, 5.0, -7], [0, -2.0, 0, 46], [0, 0, 0, 1]])
"""Columns towards R, rows towards F, slices towards P: NIfTI and NRRD are turned round when they are viewed."""

UNDERSAMPLED = "gaussian1d:3:0.2:0"
Make = Callable[..., JobSpec]


@pytest.fixture
def job(make_scan) -> Make:
    """A zero-filled run of some slices in a place, undersampled on purpose."""

    def make(affine: np.ndarray | None = PLACED, undersample: str = UNDERSAMPLED, **changes) -> JobSpec:
        slices = changes.pop("slices", None)
        scan = replace(make_scan(NY, NX, slices=NZ, noise=1e-3), affine=affine)
        source = ScanSource("synthetic.h5", undersample=undersample, slices=slices)
        settings = ReconSettings(method="zero-filled", device="cpu")
        return JobSpec(source, settings, scan, threads=1, **changes)

    return make


def last(job: JobSpec) -> Finished | Failed:
    *_, event = run(job)
    return event


def finished(job: JobSpec) -> Finished:
    event = last(job)
    assert isinstance(event, Finished), event
    return event


def refusal(job: JobSpec) -> str:
    events = list(run(job))
    assert isinstance(events[-1], Failed)
    assert not any(isinstance(event, Started) for event in events)  # before anything is computed
    return str(events[-1].error)


def against(path: Path, **changes) -> ReferenceSource:
    return ReferenceSource(path=str(path), **changes)


def truth_of(job: JobSpec) -> Volume:
    """The image of all that was measured."""
    return finished(replace(job, source=replace(job.source, undersample=""))).volume


@pytest.mark.parametrize("affine", [PLACED, TURNED, None], ids=["placed", "turned", "nowhere"])
@pytest.mark.parametrize("name", ["truth.nii.gz", "truth.nrrd", "truth.npy"])
def test_a_file_on_the_same_grid_is_taken_as_it_is(job: Make, tmp_path: Path, affine, name: str) -> None:
    own = finished(job(affine))
    truth = truth_of(job(affine))
    save(replace(truth, card={}), tmp_path / name)
    found = finished(job(affine, reference=against(tmp_path / name)))
    assert found.metrics == pytest.approx(compare(abs(own.volume.array), abs(truth.array)), rel=1e-4)
    told = found.card["outcome"]["reference"]
    assert (told["against"], told["resampled"], told["voxels"]) == (name, False, NZ * NY * NX)
    assert np.array_equal(found.volume.array, own.volume.array)


def moved(affine: np.ndarray, by: tuple[float, float, float]) -> np.ndarray:
    there = affine.copy()
    there[:3, 3] += by
    return there


def test_another_grid_is_refused_and_the_words_say_how_it_differs(job: Make, tmp_path: Path) -> None:
    truth = truth_of(job())
    flipped = PLACED @ np.diag([1, 1, -1, 1.0])
    flipped[:3, 3] = PLACED[:3, :3] @ [0, 0, NZ - 1] + PLACED[:3, 3]
    finer = PLACED @ np.diag([0.5, 0.5, 1, 1])
    cases = {
        "It lies elsewhere in the patient": (truth.array, moved(PLACED, (0, 0, 2.5))),
        "towards L P F, those of the image towards L P H": (truth.array[::-1], flipped),
        "2 x 1 x 5 mm, those of the image 2 x 2 x 5 mm": (truth.array, PLACED @ np.diag([1, 0.5, 1, 1])),
        "80 x 96 x 3 voxels, the image 40 x 48 x 3": (truth.array.repeat(2, 1).repeat(2, 2), finer),
    }
    for number, (words, (array, affine)) in enumerate(cases.items()):
        path = tmp_path / f"{number}.npy"
        volume = Volume(np.ascontiguousarray(array), affine=affine, slices=len(array))
        save(volume, path.with_suffix(".nrrd"))
        said = refusal(job(reference=against(path.with_suffix(".nrrd"))))
        assert words in said
        assert "does not fit the image's grid" in said
        assert "--resample" in said


def test_voxels_that_are_only_stored_the_other_way_round_are_the_same(job: Make, tmp_path: Path) -> None:
    """As the program turns them itself when it opens the file."""
    truth = truth_of(job())
    mirrored = PLACED @ np.diag([-1, 1, 1, 1.0])
    mirrored[:3, 3] = PLACED[:3, :3] @ [NX - 1, 0, 0] + PLACED[:3, 3]
    save(Volume(truth.array[:, :, ::-1], affine=mirrored, slices=NZ), tmp_path / "mirrored.nii.gz")
    found = finished(job(reference=against(tmp_path / "mirrored.nii.gz")))
    assert found.metrics == pytest.approx(compare(abs(found.volume.array), abs(truth.array)), rel=1e-4)


def test_what_cannot_be_resampled_says_so(job: Make, tmp_path: Path) -> None:
    np.save(tmp_path / "small.npy", np.ones((NZ, NY, NX - 1), dtype=np.float32))
    said = refusal(job(reference=against(tmp_path / "small.npy", resample=True)))
    assert "39 x 48 x 3 voxels, the image 40 x 48 x 3" in said
    assert "does not tell where it lies" in said


def test_on_request_it_is_resampled_which_for_turned_voxels_changes_nothing(job: Make, tmp_path: Path) -> None:
    truth = truth_of(job())
    affine = np.eye(4)
    affine[:3, :3] = PLACED[:3, :3][:, [1, 0, 2]] * [1, -1, 1]
    affine[:3, 3] = PLACED[:3, :3] @ [NX - 1, 0, 0] + PLACED[:3, 3]
    save(
        Volume(np.ascontiguousarray(truth.array[:, :, ::-1].swapaxes(1, 2)), affine=affine, slices=NZ),
        tmp_path / "t.nrrd",
    )
    assert "towards P R H" in refusal(job(reference=against(tmp_path / "t.nrrd")))
    found = finished(job(reference=against(tmp_path / "t.nrrd", resample=True)))
    assert found.metrics == pytest.approx(compare(abs(found.volume.array), abs(truth.array)), rel=1e-4)
    assert found.card["outcome"]["reference"]["resampled"] is True


def test_only_what_a_resampled_reference_covers_is_compared(job: Make, tmp_path: Path) -> None:
    truth = truth_of(job())
    half = Volume(truth.array[:, : NY // 2], affine=PLACED, slices=NZ)
    save(half, tmp_path / "half.nrrd")
    found = finished(job(reference=against(tmp_path / "half.nrrd", resample=True)))
    covered = np.zeros(truth.array.shape, dtype=bool)
    covered[:, : NY // 2] = True
    assert found.metrics == pytest.approx(compare(abs(found.volume.array), abs(truth.array) * covered, mask=covered))
    assert found.card["outcome"]["reference"]["voxels"] == covered.sum()
    save(replace(half, affine=moved(PLACED, (500, 0, 0))), tmp_path / "far.nrrd")
    assert "empty where the image is" in refusal(job(reference=against(tmp_path / "far.nrrd", resample=True)))


@pytest.mark.parametrize("affine", [PLACED, None], ids=["placed", "nowhere"])
def test_some_slices_are_compared_with_those_of_the_whole(job: Make, tmp_path: Path, affine) -> None:
    save(replace(truth_of(job(affine)), card={}), tmp_path / "all.npy")
    whole = truth_of(job(affine))
    some = replace(job(affine), source=replace(job(affine).source, slices=(1, 3)))
    for reference in (against(tmp_path / "all.npy"), ReferenceSource(name="all", image=whole)):
        found = finished(replace(some, reference=reference))
        assert found.metrics == pytest.approx(compare(abs(found.volume.array), abs(whole.array[1:])), rel=1e-4)


def test_figures_within_a_mask(job: Make, tmp_path: Path) -> None:
    truth = truth_of(job())
    inside = np.zeros(truth.array.shape, dtype=np.float32)
    inside[0, 10:20, 10:30], inside[2, 30:, 5:8] = 3, -1
    save(Volume(inside, affine=PLACED, slices=NZ), tmp_path / "mask.nrrd")
    masked = ReferenceSource(name="full", image=truth, mask=str(tmp_path / "mask.nrrd"))
    found = finished(job(reference=masked))
    assert found.metrics == pytest.approx(
        compare(abs(found.volume.array), abs(truth.array), mask=inside != 0), rel=1e-4
    )
    assert found.metrics != pytest.approx(finished(job()).metrics, rel=0.01)
    told = found.card["outcome"]["reference"]
    assert (told["mask"], told["voxels"]) == ("mask.nrrd", 200 + 54)
    assert found.card["inputs"]["mask"] == hashlib.sha256((tmp_path / "mask.nrrd").read_bytes()).hexdigest()


def test_masks_that_cannot_be_are_refused(job: Make, tmp_path: Path) -> None:
    def masked(array: np.ndarray, affine: np.ndarray = PLACED, **changes) -> JobSpec:
        save(Volume(array, affine=affine, slices=len(array)), tmp_path / "mask.nrrd")
        return job(reference=ReferenceSource(mask=str(tmp_path / "mask.nrrd"), **changes))

    some = np.zeros((NZ, NY, NX), dtype=np.float32)
    assert "mask mask.nrrd is empty" in refusal(masked(some))
    some[0, 10:20, 10:20] = 1
    assert "30 x 48 x 3 voxels, the image 40 x 48 x 3" in refusal(masked(some[:, :, :30]))
    assert finished(masked(some[:, :, :30], resample=True)).card["outcome"]["reference"]["voxels"] == 100
    assert "empty where the image is" in refusal(masked(some, moved(PLACED, (0, 0, 500)), resample=True))
    bare = replace(masked(some), source=ScanSource("synthetic.h5"))
    assert "nothing to compare with" in refusal(bare)
    assert "no mask gone.nii" in refusal(job(reference=ReferenceSource(mask=str(tmp_path / "gone.nii"))))


def test_nothing_is_compared_where_that_is_asked_for_or_there_is_nothing(job: Make) -> None:
    for bare in (job(reference=ReferenceSource(use=False)), job(undersample="")):
        found = finished(bare)
        assert found.metrics == {}
        assert "reference" not in found.card["outcome"]
        assert "reference" not in found.card["inputs"]


def test_the_card_names_the_reference_and_makes_the_same_figures_again(job: Make, tmp_path: Path) -> None:
    path = tmp_path / "truth.nii"
    save(replace(truth_of(job()), card={}), path)
    found = finished(job(reference=against(path)))
    assert found.card["inputs"]["reference"] == hashlib.sha256(path.read_bytes()).hexdigest()
    again = job_from_card(json.loads(json.dumps(found.card)))
    assert again.reference == against(path)
    assert finished(replace(again, scan=job().scan)).metrics == found.metrics
    path.unlink()
    assert "no reference truth.nii" in refusal(replace(again, scan=job().scan))


def test_the_image_of_another_run_stays_behind_when_the_job_is_written_down(job: Make) -> None:
    truth = truth_of(job())
    found = finished(job(reference=ReferenceSource(name="CG-SENSE #2", image=truth)))
    assert found.metrics == pytest.approx(compare(abs(found.volume.array), abs(truth.array)), rel=1e-6)
    assert found.card["outcome"]["reference"]["against"] == "CG-SENSE #2"
    assert len(found.card["inputs"]["reference"]) == 64
    again = replace(job_from_card(found.card), scan=job().scan)
    assert "The reference CG-SENSE #2 is not here" in refusal(again)


def test_a_fully_sampled_scan_is_a_reference_and_an_undersampled_one_is_none(job: Make, tmp_path: Path) -> None:
    from core.export.ismrmrd_scan import save_kspace
    from core.operators.masks import parse_undersampling
    from core.operators.undersample import undersample

    scan = replace(job().scan, simulated=True, field_of_view_mm=(80.0, 96.0, 5.0))
    save_kspace(scan, tmp_path / "full.h5")
    found = finished(job(reference=against(tmp_path / "full.h5")))
    assert found.metrics["psnr"] == pytest.approx(finished(job()).metrics["psnr"], abs=0.05)
    assert found.card["outcome"]["reference"]["against"] == "full.h5"
    save_kspace(undersample(scan, parse_undersampling(UNDERSAMPLED)), tmp_path / "some.h5")
    assert "some.h5 is not fully sampled" in refusal(job(reference=against(tmp_path / "some.h5")))


@pytest.mark.parametrize("content", [b"", b"nothing that anybody can read", None])
def test_files_that_are_no_reference_are_refused_in_words(job: Make, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "odd.bin"
    if content is not None:
        path.write_bytes(content)
    assert "odd.bin" in refusal(job(reference=against(path)))


def test_ct_is_compared_in_the_unit_that_both_have(make_projections, tmp_path: Path) -> None:
    scan = make_projections(slices=2)
    settings = ReconSettings(method="fbp", device="cpu")
    bare = JobSpec(ScanSource("ct.h5", undersample="every:2"), settings, scan, threads=1)
    truth = finished(replace(bare, source=ScanSource("ct.h5"))).volume
    save(replace(truth, card={}), tmp_path / "hu.nii.gz")
    in_hu = finished(replace(bare, reference=against(tmp_path / "hu.nii.gz")))
    assert in_hu.metrics == pytest.approx(compare(in_hu.volume.array, truth.array, -1000.0), rel=1e-3)
    assert in_hu.card["outcome"]["reference"]["unit"] == "HU"
    mu = mu_from_hu(truth.array, truth.mu_water)
    save(replace(truth, array=mu, unit="1/mm", card={}), tmp_path / "mu.nrrd")
    in_mu = finished(replace(bare, reference=against(tmp_path / "mu.nrrd")))
    assert in_mu.card["outcome"]["reference"]["unit"] == "1/mm"
    assert in_mu.metrics["data_range"] == pytest.approx(mu.max(), rel=1e-5)
    assert in_mu.metrics["nrmse"] == pytest.approx(in_hu.metrics["nrmse"], rel=1e-3)


def test_a_mask_of_one_stack_counts_for_every_repetition(make_scan, tmp_path: Path) -> None:
    scan = make_scan(NY, NX, slices=2, repetitions=2, noise=1e-3)
    inside = np.zeros((2, NY, NX), dtype=np.float32)
    inside[1, 10:20, 10:20] = 1
    np.save(tmp_path / "mask.npy", inside)
    source = ScanSource("synthetic.h5", undersample=UNDERSAMPLED)
    reference = ReferenceSource(mask=str(tmp_path / "mask.npy"))
    job = JobSpec(source, ReconSettings(method="zero-filled", device="cpu"), scan, threads=1, reference=reference)
    assert finished(job).card["outcome"]["reference"]["voxels"] == 200


def test_a_digest_tells_what_figures_depend_on(tmp_path: Path) -> None:
    for name, content in (("a.npy", b"1"), ("b.npy", b"1"), ("c.npy", b"2")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (str(tmp_path / f"{name}.npy") for name in "abc")
    assert digest_of_source(ReferenceSource()) == ""
    assert digest_of_source(ReferenceSource(path=a)) == hashlib.sha256(b"1").hexdigest()
    assert digest_of_source(ReferenceSource(path=a)) == digest_of_source(ReferenceSource(path=b))
    image = Volume(np.zeros((1, 2, 2), dtype=np.float32))
    other = Volume(np.ones((1, 2, 2), dtype=np.float32))
    different = [
        ReferenceSource(),
        ReferenceSource(use=False),
        ReferenceSource(path=a),
        ReferenceSource(path=c),
        ReferenceSource(path=a, mask=c),
        ReferenceSource(path=c, mask=a),
        ReferenceSource(mask=a),
        ReferenceSource(path=a, resample=True),
        ReferenceSource(name="x", image=image),
        ReferenceSource(name="x", image=other),
    ]
    assert len({digest_of_source(each) for each in different}) == len(different)
    with pytest.raises(ScanError, match=r"no reference gone\.npy"):
        digest_of_source(ReferenceSource(path=str(tmp_path / "gone.npy")))


@pytest.mark.parametrize("wrong", [3, {"path": 3}, {"use": "yes"}, {"mask": None}])
def test_a_job_with_a_spoiled_reference_is_refused(job: Make, wrong: object) -> None:
    from core.errors import JobError

    with pytest.raises(JobError, match="cannot be read"):
        JobSpec.from_dict({**job().to_dict(), "reference": wrong})
