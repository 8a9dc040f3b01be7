"""From a reconstructed volume to a simulated scan that is open, and everything that can go wrong on the way."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bridge.volumes import MOST_LOOKED_AT, refusal, volume_kind
from app.preferences import Preferences
from app.state.simulation import CtPlan, MriPlan, plan_for
from app.views.main_window import MainWindow
from app.views.simulate_dialog import SimulateDialog
from core.engine.simulate_mri import MriSettings
from core.engine.simulated_beams import CtSettings
from core.errors import ScanError
from core.formats.volume_parts import Opened
from core.scan import Volume
from tests.app.conftest import finished
from tests.app.fakes import FakeDialogs, FakeEngine, scan
from tests.app.fakes_ct import ct_scan
from tests.app.test_opening import drop

LEFT = Qt.MouseButton.LeftButton


def volume(unit: str = "HU", shape: tuple[int, int, int] = (6, 40, 48), path: str = "/v/chest.nii") -> Opened:
    array = np.zeros(shape, np.float32)
    array[:, 10:20, 10:30] = 1.0
    array[0, 12, 12] = 2.0
    return Opened(Volume(array, unit, None, (1.0, 1.5, 2.0), shape[0]), path, "NIfTI", ("The place is not known.",))


@pytest.fixture
def fake() -> FakeEngine:
    made = FakeEngine()
    made.volumes = {"chest.nii": volume(), "head.nii": volume("a.u.", path="/v/head.nii")}
    made.files["new.h5"] = ct_scan("new.h5", simulated=True)
    return made


def dialog_for(window: MainWindow, qtbot: QtBot, name: str = "chest.nii") -> SimulateDialog:
    window.simulating.begin(f"/v/{name}")
    qtbot.waitUntil(lambda: window.simulating.dialog is not None)
    assert window.simulating.dialog is not None
    return window.simulating.dialog


def left_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name != "preferences")


class TestTheOffer:
    def test_a_volume_is_no_raw_data(self, window: MainWindow, qtbot: QtBot) -> None:
        window.open_path("/v/chest.nii")
        qtbot.waitUntil(lambda: window.banner.isVisible())
        assert "chest.nii is a reconstructed volume (NIfTI), not raw data." in window.banner.what.text()
        qtbot.mouseClick(window.banner.simulate, LEFT)
        qtbot.waitUntil(lambda: window.simulating.dialog is not None)
        assert not window.banner.isVisible()
        assert not window.preferences.recent

    def test_dropped(self, window: MainWindow, qtbot: QtBot) -> None:
        assert drop(window, "/v/chest.nii")
        qtbot.waitUntil(lambda: window.banner.simulate.isVisible())

    def test_other_failures_have_none(self, window: MainWindow, qtbot: QtBot) -> None:
        window.open_path("/scans/letter.txt")
        qtbot.waitUntil(lambda: window.banner.isVisible())
        assert not window.banner.simulate.isVisible()

    @pytest.mark.parametrize("action", ["simulate", "simulate_folder"])
    def test_from_the_menu(self, window: MainWindow, dialogs: FakeDialogs, qtbot: QtBot, action: str) -> None:
        dialogs.path = "/v/head.nii"
        window.actions_[action].trigger()
        qtbot.waitUntil(lambda: window.simulating.dialog is not None)

    def test_nothing_chosen(self, window: MainWindow) -> None:
        window.actions_["simulate"].trigger()
        assert not window.session.reading

    def test_a_damaged_volume(self, window: MainWindow, qtbot: QtBot) -> None:
        window.simulating.begin("/damaged/chest.nii")
        qtbot.waitUntil(lambda: window.banner.isVisible())
        assert window.banner.what.text() == "This volume is damaged."
        assert window.simulating.dialog is None
        assert not window.session.reading

    def test_a_scan_opened_meanwhile_wins(self, window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
        window.simulating.begin("/v/chest.nii")
        window.open_path("/scans/head.h5")
        qtbot.waitUntil(lambda: finished(window, 1))
        assert window.simulating.dialog is None


class TestThePlan:
    def test_every_setting_of_core_is_on_the_form_or_follows_from_it(self) -> None:
        for unit, settings in (("HU", CtSettings), ("a.u.", MriSettings)):
            plan = plan_for(volume(unit))
            given = plan.arguments()
            names = {field.name for field in dataclasses.fields(settings)}
            assert set(given) <= names
            assert names - set(given) <= {"source_mm", "detector_mm"}
            settings(**given)
            assert set(plan.values) >= {field.name for field in plan.fields}

    def test_defaults_of_ct(self) -> None:
        plan = plan_for(volume(shape=(100, 300, 512)))
        assert isinstance(plan, CtPlan)
        assert CtSettings(**plan.arguments()) == CtSettings(60, "parallel", 180.0, None, 1e5, 256, (34, 66), 0)
        assert plan_for(volume()).values["size"] is None

    def test_defaults_of_mri(self) -> None:
        plan = plan_for(volume("a.u."))
        assert isinstance(plan, MriPlan)
        assert MriSettings(**plan.arguments()) == MriSettings(8, "gaussian1d:4:0.08:0", 0.01, None, (0, 6), 0)
        assert plan.with_value("pattern", "none").arguments()["undersample"] == ""

    def test_the_arc_follows_the_geometry_until_it_is_chosen(self) -> None:
        plan = plan_for(volume())
        fan = plan.with_value("geometry", "fan")
        assert fan.values["arc_degrees"] == 360
        assert fan.with_value("geometry", "parallel").values["arc_degrees"] == 180
        chosen = plan.with_value("arc_degrees", 200.0).with_value("geometry", "cone")
        assert chosen.values["arc_degrees"] == 200
        assert "source_mm" in chosen.arguments()

    def test_the_last_slice_is_never_before_the_first(self) -> None:
        plan = plan_for(volume()).with_value("last", 2)
        assert plan.with_value("first", 5).slices == (4, 5)
        assert plan.with_value("first", 2).with_value("last", 1).slices == (0, 1)


class TestTheForm:
    def test_it_says_what_it_knows(self, window: MainWindow, qtbot: QtBot) -> None:
        dialog = dialog_for(window, qtbot)
        assert dialog.name.text() == "chest.nii"
        assert "48 × 40 × 6 voxels of 1 × 1.5 × 2 mm, in Hounsfield units" in dialog.about.text()
        assert dialog.notes.words.text() == "The place is not known."
        assert all(row.words.text() for row in dialog.rows.values())

    def test_fields_come_with_what_needs_them(self, window: MainWindow, qtbot: QtBot) -> None:
        dialog = dialog_for(window, qtbot)
        assert not dialog.rows["source_mm"].field.isVisible()
        box: Any = dialog.rows["geometry"].field
        box.setCurrentIndex(box.findData("cone"))
        box.activated.emit(box.currentIndex())
        assert dialog.rows["source_mm"].field.isVisible()
        arc: Any = dialog.rows["arc_degrees"].field
        assert arc.value() == 360

    def test_none_and_too_little(self, window: MainWindow, qtbot: QtBot) -> None:
        dialog = dialog_for(window, qtbot)
        photons: Any = dialog.rows["photons"].field
        photons.setValue(0)
        assert photons.text() == "No noise"
        size: Any = dialog.rows["size"].field
        assert size.text() == "As the volume"
        size.setValue(3)
        assert size.value() == 8
        plan = window.session.simulation.plan
        assert plan is not None
        assert plan.values["photons"] is None
        assert plan.values["size"] == 8

    @pytest.mark.parametrize("name", ["dark", "light"])
    def test_nothing_is_cut_off(self, window: MainWindow, qtbot: QtBot, name: str) -> None:
        window.actions_[f"theme_{name}"].trigger()
        for file in ("chest.nii", "head.nii"):
            dialog = dialog_for(window, qtbot, file)
            window.session.simulation.set(
                "geometry" if file == "chest.nii" else "seed", "cone" if file[0] == "c" else 1
            )
            QApplication.processEvents()
            assert dialog.height() <= 700
            for row in dialog.rows.values():
                assert row.words.width() >= row.words.sizeHint().width(), row.asked.name
                assert row.field.width() >= row.field.minimumSizeHint().width(), row.asked.name
            dialog.reject()
            assert window.simulating.dialog is None

    def test_cancelled(self, window: MainWindow, dialogs: FakeDialogs, qtbot: QtBot) -> None:
        dialog = dialog_for(window, qtbot)
        qtbot.mouseClick(dialog.simulate, LEFT)
        assert "-simulated.h5" in dialogs.asked[-1]
        assert not window.session.simulation.doing, "no place was chosen"
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        assert window.simulating.dialog is None
        assert window.session.simulation.volume is None


@pytest.fixture
def working(window: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot, tmp_path: Path) -> SimulateDialog:
    """A simulation that has come half way, to be written to new.h5."""
    dialogs.target = str(tmp_path / "new.h5")
    dialog = dialog_for(window, qtbot)
    qtbot.mouseClick(dialog.simulate, LEFT)
    qtbot.waitUntil(lambda: window.session.simulation.share == 0.5)
    return dialog


class TestTheWork:
    def test_it_is_opened_and_marked(
        self, window: MainWindow, working: SimulateDialog, fake: FakeEngine, qtbot: QtBot, tmp_path: Path
    ) -> None:
        window.viewer.planes.volume.trouble = "Not in this test."
        assert working.doing.text() == "Projecting …"
        assert working.bar.value() == working.bar.maximum() // 2
        assert not working.simulate.isEnabled()
        assert not (tmp_path / "new.h5").exists()
        fake.simulating.set()
        qtbot.waitUntil(lambda: finished(window, 1))
        assert (tmp_path / "new.h5").read_bytes() == b"whole"
        assert left_in(tmp_path) == ["new.h5"]
        assert window.simulating.dialog is None
        assert window.session.scan.marks == ("Simulated scan",)
        assert window.scan_card.marks.isVisible()
        assert Preferences().recent == [str(tmp_path / "new.h5")]
        assert window.session.simulation.volume is None

    @pytest.mark.parametrize("way", ["button", "escape", "close"])
    def test_stopped_in_the_middle(
        self, window: MainWindow, working: SimulateDialog, fake: FakeEngine, qtbot: QtBot, tmp_path: Path, way: str
    ) -> None:
        if way == "button":
            qtbot.mouseClick(working.cancel, LEFT)
        elif way == "escape":
            qtbot.keyClick(working, Qt.Key.Key_Escape)
        else:
            working.close()
        assert working.isVisible()
        assert working.doing.text() == "Stopping …"
        fake.simulating.set()
        qtbot.waitUntil(lambda: not window.session.simulation.doing)
        assert left_in(tmp_path) == []
        assert working.simulate.isEnabled(), "to try otherwise"
        assert not working.trouble.isVisible()
        assert window.session.scan is None

    def test_what_was_there_stays_where_it_is_stopped(
        self, window: MainWindow, working: SimulateDialog, fake: FakeEngine, qtbot: QtBot, tmp_path: Path
    ) -> None:
        (tmp_path / "new.h5").write_bytes(b"older")
        working.reject()
        working.reject()
        assert window.simulating.dialog is None, "the second time it closes without waiting"
        fake.simulating.set()
        qtbot.waitUntil(lambda: not window.session.simulation.doing)
        assert (tmp_path / "new.h5").read_bytes() == b"older"
        assert left_in(tmp_path) == ["new.h5"]

    def test_the_window_closes_meanwhile(
        self, window: MainWindow, working: SimulateDialog, fake: FakeEngine, tmp_path: Path
    ) -> None:
        fake.simulating.set()
        window.leave()
        window.bridge.wait_for_end()
        assert [n for n in left_in(tmp_path) if n != "new.h5"] == []

    def test_closing_asks_first(
        self, window: MainWindow, working: SimulateDialog, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot
    ) -> None:
        dialogs.answer = False
        assert not window.close()
        assert "still being simulated" in dialogs.asked[-1]
        fake.simulating.set()
        qtbot.waitUntil(lambda: not window.session.simulation.doing)

    def test_the_window_closes_before_it_can_end(
        self, window: MainWindow, working: SimulateDialog, fake: FakeEngine, tmp_path: Path
    ) -> None:
        window.bridge.simulations.close()
        fake.simulating.set()
        window.leave()
        window.bridge.wait_for_end()
        assert left_in(tmp_path) == []

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (OSError(28, "No space left on device"), "new.h5 could not be written. No space left"),
            (
                ScanError("The simulated scan does not fit into memory.", "", "Take less."),
                "memory. Take less.",
            ),
            (ValueError("odd"), "The scan could not be simulated. ValueError: odd"),
        ],
    )
    def test_what_goes_wrong_is_told_in_the_dialog(
        self,
        window: MainWindow,
        working: SimulateDialog,
        fake: FakeEngine,
        qtbot: QtBot,
        tmp_path: Path,
        error: Exception,
        words: str,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        fake.trouble = error
        fake.simulating.set()
        qtbot.waitUntil(lambda: working.trouble.isVisible())
        assert words in working.trouble.words.text()
        assert left_in(tmp_path) == []
        fake.trouble = None
        qtbot.mouseClick(working.simulate, LEFT)
        assert not working.trouble.isVisible()
        qtbot.waitUntil(lambda: window.session.scan is not None)

    def test_unsaved_work_is_asked_for_and_the_file_is_there(
        self, opened: MainWindow, fake: FakeEngine, dialogs: FakeDialogs, qtbot: QtBot, tmp_path: Path
    ) -> None:
        fake.script.free = True
        opened.bridge.reconstruct()
        qtbot.waitUntil(lambda: finished(opened, 2))
        dialogs.target, dialogs.answer = str(tmp_path / "new.h5"), False
        fake.simulating.set()
        qtbot.mouseClick(dialog_for(opened, qtbot).simulate, LEFT)
        qtbot.waitUntil(lambda: "Open new.h5?" in dialogs.asked[-1])
        assert (tmp_path / "new.h5").is_file()
        assert opened.session.scan.name == "head.h5"


@pytest.mark.parametrize("place", ["locked", "gone", "file"])
def test_a_folder_that_cannot_be_written_to_is_told_before_the_work(
    window: MainWindow,
    fake: FakeEngine,
    dialogs: FakeDialogs,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "locked").mkdir()
    make = tempfile.mkstemp

    def refused(*args: Any, **how: Any) -> Any:
        if Path(str(how.get("dir"))).name == "locked":
            raise PermissionError(13, "Permission denied")
        return make(*args, **how)

    monkeypatch.setattr(tempfile, "mkstemp", refused)
    dialogs.target = str(tmp_path / place / "new.h5")
    dialog = dialog_for(window, qtbot)
    qtbot.mouseClick(dialog.simulate, LEFT)
    qtbot.waitUntil(lambda: dialog.trouble.isVisible())
    assert dialog.trouble.words.text().startswith("new.h5 could not be written.")
    assert not fake.simulated
    assert left_in(tmp_path) == ["file", "locked"]


class TestWhatIsAVolume:
    def test_by_name_and_first_bytes(self, tmp_path: Path) -> None:
        made = {"a.nii": b"x", "b.nii.gz": b"x", "c.nrrd": b"x", "d.dcm": b"x", "e": bytes(128) + b"DICM"}
        made |= {"f.h5": b"x", "g.npy": b"x", "h.nii": b"", "i": b"NRRD0005\n"}
        for name, held in made.items():
            (tmp_path / name).write_bytes(held)
        kinds = [volume_kind(str(tmp_path / name)) for name in (*made, "none.nii")]
        assert kinds == ["NIfTI", "NIfTI", "NRRD", "DICOM", "DICOM", "", "", "", "NRRD", ""]

    def test_folders(self, tmp_path: Path) -> None:
        deep = tmp_path / "study" / "series"
        deep.mkdir(parents=True)
        assert volume_kind(str(tmp_path)) == ""
        why = refusal(str(tmp_path), ScanError("It is a folder."), "")
        assert "geometry.toml" in why.why
        (deep / "1").write_bytes(bytes(128) + b"DICM")
        assert volume_kind(str(tmp_path)) == "DICOM"
        (tmp_path / "geometry.toml").write_text("")
        assert volume_kind(str(tmp_path)) == "", "projections, whatever lies beside them"
        assert refusal(str(tmp_path), ScanError("No views."), "").what == "No views."
        assert MOST_LOOKED_AT > 100


def test_offers_for_a_mri_scan_open_as_before(window: MainWindow, fake: FakeEngine, qtbot: QtBot) -> None:
    fake.files["head.nii"] = scan("head.nii")
    window.open_path("/scans/head.nii")
    qtbot.waitUntil(lambda: finished(window, 1))
    assert window.session.notice is None, "what can be read as a scan is one"
