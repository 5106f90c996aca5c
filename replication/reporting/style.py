"""One look for all figures: colours that colour-blind readers can tell apart, fixed sizes, no dates in files.

The palette is Okabe & Ito's (2008). Lines also differ by dash and marker, so that a figure reads in print
without colour.
"""

import io
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from cycler import cycler
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from replication.files import keep, write_atomic

BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, YELLOW, BLACK = "#CC79A7", "#56B4E9", "#F0E442", "#000000"
PALETTE = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
GREY = "#777777"
PANEL = (4.2, 3.0)
SCREEN_DPI, FILE_DPI = 100, 200
COLOURS = 256  # of a picture on the screen, which so takes a third of the bytes
INLINE = ("inline", "module://matplotlib_inline.backend_inline")
CHARACTERS = 13.5  # of a title, an inch
NO_BREAK = "\u00a0"
SHADES = "Blues"

SETTINGS: Mapping[str, object] = {
    "figure.figsize": PANEL,
    "figure.dpi": SCREEN_DPI,
    "figure.constrained_layout.use": True,
    "savefig.dpi": FILE_DPI,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "errorbar.capsize": 2.5,
    "image.cmap": SHADES,
    "pdf.fonttype": 42,
    "svg.hashsalt": "replication",
    "svg.fonttype": "path",
    "text.usetex": False,
}


def apply() -> None:
    """Set the style for the figures made from now on."""
    mpl.rcParams.update(SETTINGS)
    looks = cycler(color=PALETTE) + cycler(marker=MARKERS) + cycler(linestyle=DASHES)
    mpl.rcParams["axes.prop_cycle"] = looks


def panels(columns: int = 1, rows: int = 1, **options: object) -> tuple[Figure, object]:
    """Return a figure and its axes, each panel of the fixed size; options go to `plt.subplots`."""
    apply()
    return plt.subplots(rows, columns, figsize=(PANEL[0] * columns, PANEL[1] * rows), **options)


def look(position: int) -> dict[str, object]:
    """Return colour, marker and dash of the series at `position`, the same in every figure."""
    place = position % len(PALETTE)
    return {"color": PALETTE[place], "marker": MARKERS[place], "linestyle": DASHES[place]}


def published(position: int) -> dict[str, object]:
    """Return the look of published points beside our series at `position`: hollow, not joined."""
    place = position % len(PALETTE)
    colour = PALETTE[place]
    return {"color": colour, "marker": MARKERS[place], "linestyle": "none", "markerfacecolor": "white"}


def fit(text: str, inches: float) -> str:
    """Return a title in lines that fit a width; its own breaks stay, and "a: 1; b: 2" breaks at ";"."""
    width = max(20, int(inches * CHARACTERS))
    lines = []
    for line in text.split("\n"):
        parts = [part.replace(" ", NO_BREAK) if len(part) < width / 2 else part for part in line.split("; ")]
        joined = "; ".join(parts) if len(parts) > 1 else line
        lines.append(textwrap.fill(joined, width, break_on_hyphens=False).replace(NO_BREAK, " "))
    return "\n".join(lines)


def legend_beside(last: Axes, every: Sequence[Axes], room: float) -> None:
    """Explain every label of some panels once, beside the last one; the figure grows by `room` inches.

    Published points come last, behind the series of the run.
    """
    shown: dict[str, object] = {}
    for axes in every:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            shown.setdefault(label, handle)
    order = sorted(shown, key=lambda label: label == "published")  # behind the series of the run
    last.legend([shown[label] for label in order], order, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    width, height = last.figure.get_size_inches()
    last.figure.set_size_inches(width + room, height)


def save(figure: Figure, folder: Path, name: str) -> bytes:
    """Write `<name>.png` and `<name>.pdf`, each whole or not at all; the bytes depend on the figure only.

    Where the same picture lies there already, so do both files, and the PDF is not drawn again: its fonts
    take longer than all else.

    Returns:
        The PNG, for `show`.
    """
    picture, print_ = folder / f"{name}.png", folder / f"{name}.pdf"
    drawn = _png(figure)
    if print_.is_file() and picture.is_file() and picture.read_bytes() == drawn:
        keep(print_)
        keep(picture)
        return drawn
    # The picture last: where it lies, the PDF beside it is of the same figure, also after a kill in between.
    picture.unlink(missing_ok=True)
    write_atomic(print_, _pdf(figure))
    write_atomic(picture, drawn)
    return drawn


def show(figure: Figure, picture: bytes = b"") -> None:
    """Show a figure once where the backend can, and close it, so that the cell's end does not repeat it.

    In a notebook it is the picture of the file with half its pixels a side, which is a tenth of the work of
    drawing it again. (A figure is laid out and drawn twice by matplotlib's own way of showing it.)

    Args:
        figure: the figure.
        picture: what `save` has returned for it; it is drawn here when there is none.
    """
    said = repr(figure)
    if plt.get_backend().lower() in INLINE:
        from IPython.display import display

        image = Image.open(io.BytesIO(picture or _png(figure))).convert("RGB")
        shown = io.BytesIO()
        image.reduce(FILE_DPI // SCREEN_DPI).quantize(COLOURS, dither=Image.Dither.NONE).save(shown, "png")
        display({"image/png": shown.getvalue(), "text/plain": said}, raw=True)
    elif plt.get_backend().lower() not in ("agg", "pdf", "svg", "ps", "cairo", "template"):
        _lay_out(figure)
        plt.figure(figure.number)
        with any_script():
            plt.show()
    plt.close(figure)


def _png(figure: Figure) -> bytes:
    """Return a figure as a PNG, without the program's name."""
    return _printed(figure, lambda file: FigureCanvasAgg(figure).print_png(file, metadata={"Software": None}))


def _pdf(figure: Figure) -> bytes:
    """Return a figure as a PDF, without dates, versions or the program's name."""
    nothing = dict.fromkeys(("CreationDate", "ModDate", "Creator", "Producer"))
    return _printed(figure, lambda file: FigureCanvasPdf(figure).print_pdf(file, metadata=nothing))


def _printed(figure: Figure, write: Callable[[io.BytesIO], object]) -> bytes:
    """Return what `write` makes of a figure, which keeps its canvas and resolution."""
    _lay_out(figure)
    buffer, canvas, dpi = io.BytesIO(), figure.canvas, figure.dpi
    try:
        figure.set_dpi(FILE_DPI)
        with any_script():
            write(buffer)
    finally:
        figure.set_canvas(canvas)
        figure.set_dpi(dpi)
    return buffer.getvalue()


def _lay_out(figure: Figure) -> None:
    """Give the panels their places, once: matplotlib would do so twice for each file and each showing."""
    _plain_dollars(figure)
    if not figure.axes or (engine := figure.get_layout_engine()) is None:
        return
    dpi = figure.dpi
    figure.set_dpi(FILE_DPI)
    with any_script():
        engine.execute(figure)
    figure.set_dpi(dpi)
    figure.set_layout_engine("none")


def _plain_dollars(figure: Figure) -> None:
    """Keep prices in texts from being read as formulas; the ticks of log axes stay formulas."""
    for text in figure.findobj(Text):
        if "$" in text.get_text() and "\\mathdefault" not in text.get_text():
            text.set_parse_math(False)


@contextmanager
def any_script() -> Iterator[None]:
    """Keep out of notebooks that a token's letters are not in the font: they are drawn as boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)
        yield
