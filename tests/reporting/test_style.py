"""Figures: one look, files without dates, shown once."""

import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from replication.reporting import style


@pytest.fixture(autouse=True)
def agg():
    """Draw without a screen and leave matplotlib as it was."""
    before = plt.get_backend()
    mpl.use("Agg")
    with mpl.rc_context():
        yield
    plt.close("all")
    mpl.use(before)


def drawn():
    figure, axes = style.panels(2)
    axes[0].plot([1, 2], [3, 4], **style.look(0))
    axes[1].plot([1, 2], [3, 4], **style.published(1))
    return figure


def test_files_depend_on_the_figure_only(tmp_path):
    style.save(drawn(), tmp_path / "one", "figure_5")
    style.save(drawn(), tmp_path / "two", "figure_5")
    for ending in ("png", "pdf"):
        first = (tmp_path / "one" / f"figure_5.{ending}").read_bytes()
        assert first == (tmp_path / "two" / f"figure_5.{ending}").read_bytes()
        assert b"CreationDate" not in first
        assert mpl.__version__.encode() not in first
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == ["figure_5.pdf", "figure_5.png"]


def test_a_pdf_is_drawn_again_only_where_its_picture_is_another(tmp_path):
    picture, pdf = (tmp_path / f"figure_5.{ending}" for ending in ("png", "pdf"))
    style.save(drawn(), tmp_path, "figure_5")
    first = picture.read_bytes(), pdf.read_bytes()
    pdf.write_bytes(b"of before")
    style.save(drawn(), tmp_path, "figure_5")
    assert (picture.read_bytes(), pdf.read_bytes()) == (first[0], b"of before")
    other = drawn()
    other.axes[0].set_title("Another")
    style.save(other, tmp_path, "figure_5")
    assert picture.read_bytes() != first[0]
    assert pdf.read_bytes() not in (first[1], b"of before")
    style.save(drawn(), tmp_path, "figure_5")
    assert (picture.read_bytes(), pdf.read_bytes()) == first
    for lost in (picture, pdf):
        lost.unlink()
        style.save(drawn(), tmp_path, "figure_5")
        assert (picture.read_bytes(), pdf.read_bytes()) == first


def test_a_picture_never_lies_beside_the_pdf_of_another_figure(tmp_path, monkeypatch):
    style.save(drawn(), tmp_path, "figure_5")
    other = drawn()
    other.axes[0].set_title("Another")

    def killed(path, content):
        raise KeyboardInterrupt

    monkeypatch.setattr(style, "write_atomic", killed)
    with pytest.raises(KeyboardInterrupt):
        style.save(other, tmp_path, "figure_5")
    assert not (tmp_path / "figure_5.png").exists()


def test_size_and_looks_are_fixed():
    figure = drawn()
    assert tuple(figure.get_size_inches()) == (2 * style.PANEL[0], style.PANEL[1])
    assert figure.dpi == style.SCREEN_DPI
    looks = [tuple(map(str, style.look(i).values())) for i in range(7)]
    assert len(set(looks)) == 7
    assert len({look[1] for look in looks}) == 7
    assert style.look(7) == style.look(0)


def test_show_closes_without_a_warning():
    figure = drawn()
    style.show(figure)
    assert not plt.fignum_exists(figure.number)


def shown(monkeypatch, backend, **how):
    """Return the figure, what `show` gives to the notebook, and the open figures of calls of the backend."""
    bundles, calls = [], []
    monkeypatch.setattr(plt, "get_backend", lambda: backend)
    monkeypatch.setattr(plt, "show", lambda: calls.append(plt.get_fignums()))
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: bundles.append(bundle))
    figure = drawn()
    style.show(figure, **how)
    assert not plt.fignum_exists(figure.number)
    return figure, bundles, calls


@pytest.mark.parametrize("backend", style.INLINE)
def test_a_notebook_shows_the_picture_of_the_file(monkeypatch, backend, tmp_path):
    picture = style.save(drawn(), tmp_path, "figure_5")
    assert picture == (tmp_path / "figure_5.png").read_bytes()
    monkeypatch.setattr(style, "_png", lambda figure: pytest.fail("drawn again"))
    _, bundles, calls = shown(monkeypatch, backend, picture=picture)
    assert [set(bundle) for bundle in bundles] == [{"image/png", "text/plain"}]
    assert bundles[0]["text/plain"] == "<Figure size 840x300 with 2 Axes>"
    assert calls == []
    file, screen = (Image.open(io.BytesIO(data)) for data in (picture, bundles[0]["image/png"]))
    assert (screen.width, screen.height) == (file.width // 2, file.height // 2) == (840, 300)
    far = np.abs(np.asarray(screen.convert("RGB"), int) - np.asarray(file.convert("RGB").reduce(2), int))
    assert np.quantile(far, 0.999) < 40
    assert far.mean() < 1


def test_a_figure_without_a_file_is_drawn_for_the_notebook(monkeypatch, tmp_path):
    _, given, _ = shown(monkeypatch, style.INLINE[0], picture=style.save(drawn(), tmp_path, "figure_5"))
    assert shown(monkeypatch, style.INLINE[0])[1] == given


def test_another_backend_is_asked_once(monkeypatch):
    figure, bundles, calls = shown(monkeypatch, "qtagg")
    assert (bundles, calls) == ([], [[figure.number]])


def test_panels_lie_where_matplotlib_would_put_them(tmp_path):
    ours, theirs = drawn(), drawn()
    style.save(ours, tmp_path, "figure_5")
    theirs.savefig(tmp_path / "theirs.png", dpi=style.FILE_DPI, metadata={"Software": None})
    assert (tmp_path / "theirs.png").read_bytes() == (tmp_path / "figure_5.png").read_bytes()
    assert ours.dpi == style.SCREEN_DPI


def test_an_empty_figure_is_saved_without_a_warning(tmp_path):
    style.apply()
    assert style.save(plt.figure(), tmp_path, "figure_5")


def test_titles_break_between_their_parts():
    text = "Kept at T = 10\ntop-p 0.9: 1658; min-p 0.1: 353; top-k 20: 20; top-nσ 1: 1"
    assert (
        style.fit(text, 4.2) == "Kept at T = 10\ntop-p 0.9: 1658; min-p 0.1: 353; top-k 20: 20;\ntop-nσ 1: 1"
    )
    assert style.fit("one two three four five six", 1.5) == "one two three four\nfive six"
