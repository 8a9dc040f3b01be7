"""The panel of measurements, driven as a user does: table, buttons, plots."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app import theme
from app.state.room.figure import Figure
from app.state.room.measure_places import seen_in
from app.state.room.pane import Comparison, Face, Layout
from app.state.room.reading import read
from app.views.measure_drawing import label_place
from app.views.measure_table import IMAGE, NAME, VALUE, MeasureTable
from app.views.room_page import FLICKER_KEY
from core.viewing.cut import Slab
from tests.app.measure_bench import AFFINES, CTRL, LEFT, NO_KEY, Bench, mouse, phantom


def place(table: MeasureTable, row: int, column: int = NAME) -> QPoint:
    cell = table.item(row, column)
    assert cell is not None
    return table.visualItemRect(cell).center()


def pick(bench: Bench, row: int, keys: Qt.KeyboardModifier = NO_KEY) -> None:
    table = bench.measuring.panel.table
    QTest.mouseClick(table.viewport(), LEFT, keys, place(table, row))
    QApplication.processEvents()


def words(bench: Bench, row: int, column: int) -> str:
    cell = bench.measuring.panel.table.item(row, column)
    assert cell is not None
    return cell.text()


@pytest.fixture
def two(bench: Bench) -> Bench:
    """Two rectangles on one image."""
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.RECTANGLE)
    bench.drag(bench.pixel(2.5, 2.5), bench.pixel(6, 6), bench.pixel(9.5, 9.5))
    bench.drag(bench.pixel(14.5, 2.5), bench.pixel(18, 6), bench.pixel(21.5, 9.5))
    return bench


def test_the_table_names_value_and_image(two: Bench) -> None:
    first = next(iter(two.measurements))
    found = two.statistics(first)
    assert words(two, 0, NAME) == "Rectangle 1"
    assert words(two, 0, VALUE) == f"mean {found.mean:.4g}, SD {found.sd:.4g} HU"
    assert words(two, 0, IMAGE) == "Image a"
    tip = two.measuring.panel.table.item(0, VALUE).toolTip()  # type: ignore[union-attr]
    assert f"{found.area_mm2:.1f} mm², 49 pixels" in tip


def test_a_name_is_changed_in_place(two: Bench) -> None:
    table = two.measuring.panel.table
    for row, typed in ((0, "Liver"), (1, "   ")):
        pick(two, row)
        QTest.mouseDClick(table.viewport(), LEFT, NO_KEY, place(table, row))
        field = table.findChild(QLineEdit)
        assert field is not None
        field.selectAll()
        QTest.keyClicks(field, typed)
        # A new estimate of the image arrives while one types.
        two.room.put(replace(phantom(AFFINES["anisotropic"], seed=9)))
        QApplication.processEvents()
        assert field.text() == typed
        QTest.keyClick(field, Qt.Key.Key_Return)
        QApplication.processEvents()
    assert [m.name for m in two.measurements] == ["Liver", "Rectangle 2"]
    assert [words(two, row, NAME) for row in (0, 1)] == ["Liver", "Rectangle 2"]
    two.history.undo()
    QApplication.processEvents()
    assert words(two, 0, NAME) == "Rectangle 1"


def test_rows_select_delete_and_duplicate(two: Bench) -> None:
    panel = two.measuring.panel
    pick(two, 0)
    assert two.measurements.selected == ("m1",)
    QTest.mouseClick(panel.duplicate, LEFT)
    QApplication.processEvents()
    assert [m.name for m in two.measurements] == ["Rectangle 1", "Rectangle 2", "Rectangle 3"]
    assert two.measurements.selected == ("m3",)
    assert np.allclose(two.measurements.get("m3").points, two.measurements.get("m1").points)  # type: ignore[union-attr]
    QTest.keyClick(panel.table, Qt.Key.Key_Delete)
    QApplication.processEvents()
    pick(two, 1)
    QTest.mouseClick(panel.delete, LEFT)
    QApplication.processEvents()
    assert [m.name for m in two.measurements] == ["Rectangle 1"]
    assert panel.table.rowCount() == 1
    assert not panel.delete.isEnabled()


def test_selecting_a_row_shows_its_slice(two: Bench) -> None:
    two.room.scroll(0, 3)
    two.measurements.select()
    QApplication.processEvents()
    assert not seen_in(two.measurements, 0)
    pick(two, 1)
    assert len(seen_in(two.measurements, 0)) == 2
    two.room.set_pane(0, face=Face.CORONAL)
    pick(two, 0)
    assert two.room.panes[0].face is Face.AXIAL


def test_two_regions_give_snr_and_contrast_with_their_formulas(two: Bench) -> None:
    panel = two.measuring.panel
    pick(two, 1)
    assert not panel.together.isVisible()
    pick(two, 0, CTRL)
    b, a = (two.statistics(m) for m in two.measurements)
    assert panel.together.isVisible()
    said = panel.together.text()
    assert f"SNR = mean(Rectangle 2) / SD(Rectangle 1) = {a.mean / b.sd:.3g}" in said
    assert f"= {(a.mean - b.mean) / (a.mean + b.mean):.3g}" in said
    QTest.mouseClick(panel.swap, LEFT)
    QApplication.processEvents()
    assert f"SNR = mean(Rectangle 1) / SD(Rectangle 2) = {b.mean / a.sd:.3g}" in panel.together.text()
    two.room.put(replace(phantom(AFFINES["anisotropic"]), stacks=phantom(AFFINES["anisotropic"]).stacks - 500))
    QApplication.processEvents()
    assert "Contrast" in panel.together.text()
    assert panel.together.text().endswith("not defined here")
    two.room.remove("a")
    QApplication.processEvents()
    assert not panel.together.isVisible()


def test_regions_of_different_units_are_not_compared(two: Bench) -> None:
    two.room.put(replace(phantom(AFFINES["anisotropic"], "b"), unit="1/mm"))
    two.room.show(0, "b")
    QApplication.processEvents()
    two.drag(two.pixel(2.5, 12.5), two.pixel(6, 14), two.pixel(9.5, 18.5))
    pick(two, 0)
    pick(two, 2, CTRL)
    assert two.measuring.panel.together.text() == "Rectangle 1 and Rectangle 3 have different units."


def test_the_histogram_is_that_of_the_selected_region(two: Bench) -> None:
    panel = two.measuring.panel
    pick(two, 0)
    assert panel.plots.currentWidget() is panel.histogram
    assert panel.histogram.isVisible()
    _, counts = panel.histogram._bars.getData()
    assert counts.sum() == 49
    assert "Rectangle 1: 49 pixels" in panel.histogram.words.text()
    two.measurements.select()
    QApplication.processEvents()
    assert not panel.plots.isVisible()


def test_a_profile_has_a_curve_for_every_image_on_view(bench: Bench) -> None:
    affine = AFFINES["flipped"]
    for i, key in enumerate("abc"):
        bench.room.put(phantom(affine, key, seed=i))
    bench.room.set_layout(Layout.SIDE)
    for index, key in enumerate("ab"):
        bench.room.set_pane(index, item=key, face=Face.AXIAL)
    bench.page.refresh()
    bench.tool(Figure.PROFILE)
    sheet = bench.canvas.sheet
    assert sheet is not None
    start, end = sheet.point_at(2, 5), sheet.point_at(20, 5)
    bench.drag(bench.at(start), (300, 300), bench.at(end))
    plot = bench.measuring.panel.profile
    assert bench.measuring.panel.plots.currentWidget() is plot
    assert [each.name for each in plot.curves] == ["Image a", "Image b"]
    for each, key in zip(plot.curves, "ab", strict=True):
        item = bench.room.item(key)
        assert item is not None
        x, y, z = np.rint(np.linalg.inv(affine) @ np.append(start, 1)).astype(int)[:3]
        step = int(np.sign((np.linalg.inv(affine)[:3, :3] @ (end - start))[0]))
        known = item.stack(0)[z, y, x : x + 19 : step] if step > 0 else item.stack(0)[z, y, x - 18 : x + 1][::-1]
        found = np.interp(np.arange(19) * 0.7, each.curve.along_mm, each.curve.values)
        assert np.allclose(found, known, atol=1.5)
        assert each.curve.along_mm[-1] == pytest.approx(18 * 0.7, abs=0.01)
    bench.room.set_pane(1, over="c", comparison=Comparison.BLEND)
    QApplication.processEvents()
    assert [each.name for each in plot.curves] == ["Image a", "Image b", "Image c"]
    bench.room.set_layout(Layout.ONE)
    QApplication.processEvents()
    assert "Image b" not in [each.name for each in plot.curves]


def test_the_cursor_of_a_profile_tells_mm_and_values(bench: Bench) -> None:
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.PROFILE)
    bench.drag(bench.pixel(2, 5), bench.pixel(9, 5), bench.pixel(20, 5))
    plot = bench.measuring.panel.profile
    QApplication.processEvents()
    view = plot.plot.viewport()
    middle = plot.plot.mapFromScene(plot.plot.getPlotItem().vb.sceneBoundingRect().center())
    QTest.mouseMove(view, middle)
    QTest.mouseMove(view, middle + QPoint(3, 3))
    QApplication.processEvents()
    assert plot.at_mm is not None
    assert plot.words.text().startswith(f"{plot.at_mm:.1f} mm   Image a: ")
    QApplication.sendEvent(plot, QEvent(QEvent.Type.Leave))
    assert plot.at_mm is None


def test_the_table_is_copied_and_saved(two: Bench, tmp_path: Path) -> None:
    panel = two.measuring.panel
    QTest.mouseClick(panel.copy, LEFT)
    copied = QApplication.clipboard().text().replace("\r\n", "\n")
    path = tmp_path / "mine.csv"
    two.answers.append(str(path))
    QTest.mouseClick(panel.save, LEFT)
    assert "mine.csv" in panel.note.text()
    saved = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    assert saved == copied
    rows = list(csv.DictReader(io.StringIO(saved)))
    assert float(rows[1]["mean"]) == pytest.approx(two.statistics(list(two.measurements)[1]).mean, rel=1e-6)
    two.answers.append(str(tmp_path / "nowhere" / "mine.csv"))
    QTest.mouseClick(panel.save, LEFT)
    assert "does not exist" in panel.note.text()
    two.answers.append("")
    QTest.mouseClick(panel.save, LEFT)


def test_an_oblique_slab_is_read_beside_the_window(bench: Bench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that take long come later, those of the latest figure, and are those that a plain reading gives."""
    monkeypatch.setattr("app.state.room.measurements.LIGHT", 50)
    item = phantom(AFFINES["oblique"])
    bench.show(item)
    bench.room.set_pane(0, slab_mm=20.0, slab=Slab.MIP, patient_axes=True)
    QApplication.processEvents()
    bench.tool(Figure.RECTANGLE)
    bench.drag((250, 200), (280, 230), (350, 300))
    bench.drag((350, 300), (340, 310), (330, 320))
    assert words(bench, 0, VALUE)
    qtbot.waitUntil(lambda: words(bench, 0, VALUE).startswith("mean"))
    known = read(bench.only, item).statistics
    assert known is not None
    assert known.pixels > 100
    assert bench.statistics().mean == known.mean
    assert words(bench, 0, VALUE).startswith(f"mean {known.mean:.4g}")


def test_the_hint_goes_when_something_is_measured(bench: Bench) -> None:
    panel = bench.measuring.panel
    assert panel.note.text().startswith("Choose a tool")
    assert not panel.copy.isEnabled()
    bench.show(phantom(AFFINES["anisotropic"]))
    bench.tool(Figure.DISTANCE)
    bench.drag((200, 200), (220, 220), (300, 210))
    assert not panel.note.isVisible()
    assert panel.copy.isEnabled()


@pytest.mark.parametrize("name", ["dark", "light", "contrast"])
def test_the_plots_follow_the_theme(two: Bench, name: str) -> None:
    pick(two, 0)
    theme.apply(name)
    QApplication.processEvents()
    ground = two.measuring.panel.histogram.plot.backgroundBrush().color().name()
    assert ground == theme.colours(name).base.lower()
    theme.apply("dark")


def test_a_label_lies_in_the_area_and_off_the_others() -> None:
    area = QRectF(2, 2, 300, 200)
    rng = np.random.default_rng(2)
    taken: list[QRectF] = []
    for _ in range(4):
        outline = rng.uniform((-40, -40), (340, 240), (2, 2))
        found = label_place((70, 30), outline, area, taken, outline)
        assert area.contains(found)
        taken.append(found)
    assert label_place((70, 30), np.array([[299.0, 199.0]]), area, [], np.zeros((0, 2))).right() <= area.right()


def test_other_keys_reach_the_pane(two: Bench) -> None:
    """A tool takes no key that it has no use for."""
    before = two.room.place_of(0)
    two.key(Qt.Key.Key_Down)
    assert two.room.place_of(0) != before
    two.key(FLICKER_KEY)
    mouse(two.canvas, QEvent.Type.MouseMove, (10, 10), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton)
    assert len(two.measurements) == 2
