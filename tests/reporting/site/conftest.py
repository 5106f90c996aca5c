"""A real browser, driven over its DevTools protocol, and a small run of two papers for a site."""

import base64
import io
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-dev-shm-usage",
    "--remote-debugging-port=0", "--remote-allow-origins=*",
    # Whatever a page asks for beyond this machine fails, besides being recorded.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)  # fmt: skip
PATIENCE = 60.0


class Browser:
    """One page of a headless browser; keeps every request and every error of the console."""

    def __init__(self, program: str, folder: Path) -> None:
        import websocket

        self.requests: list[str] = []
        self.errors: list[str] = []
        self.loaded = 0
        self.numbers = itertools.count(1)
        command = [program, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = folder / "DevToolsActivePort"
        wait(lambda: port_file.exists() and port_file.read_text().strip())
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE) as answer:
            page = next(one for one in json.load(answer) if one["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=PATIENCE)
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result; events that come meanwhile are kept."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self.event(message.get("method", ""), message.get("params", {}))

    def event(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self.loaded += 1
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(parameters["exceptionDetails"])[:500])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.errors.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.errors.append(json.dumps(parameters["args"])[:500])

    def open(self, page: Path | str) -> None:
        """Load a page and wait until everything that it loads by itself is there."""
        before = self.loaded
        answer = self.call("Page.navigate", url=page.as_uri() if isinstance(page, Path) else page)
        if "loaderId" in answer:  # else only the fragment has changed
            wait(lambda: self.run("document.readyState") == "complete" and self.loaded > before)

    def run(self, script: str) -> Any:
        """Return the value of an expression, also of a promise."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def size(self, width: int, height: int = 900) -> None:
        """Set the size of the window in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip

    def scheme(self, name: str) -> None:
        """Set what the system prefers, "light" or "dark"."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def picture(self, path: Path) -> None:
        """Write what is seen as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def wait(self, script: str) -> None:
        """Wait until an expression is true."""
        wait(lambda: self.run(script))


def wait(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A headless Chromium; skips where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium was found on this machine")
    made = Browser(program, tmp_path_factory.mktemp("browser"))
    yield made
    made.close()


HOSTILE = (
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'> "
    "$x$ **b** [l](javascript:a) `c`"
)
"""What a model may write: it has to be seen, not to act."""
DIRECTIVES = f"""# {HOSTILE}

```{{include}} /etc/passwd
```

{{raw}}`x` <script>window.hacked = 3</script>

:::{{eval-rst}}
.. raw:: html

   <script>window.hacked = 4</script>
:::
"""


SHADED = "<table><tr><th style='color:#000'>a</th><td style='background:#fdd;color:#000'>1</td></tr></table>"


def png() -> bytes:
    """Return a small picture."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (300, 150), "white").save(file, format="PNG")
    return file.getvalue()


def shown(**data: str) -> Any:
    """Return an output of a cell; `text_html` stands for text/html."""
    from nbformat.v4 import new_output

    return new_output("display_data", {name.replace("_", "/"): value for name, value in data.items()})


def views() -> list[Any]:
    """Return a heat map and kept sets with their picture, as a notebook stores them."""
    import numpy as np
    from nbformat.v4 import new_output

    from replication.reporting.heat_map import Measure, heat_map
    from replication.reporting.kept_sets import kept_view
    from replication.studies.distributions import kept

    tokens = [HOSTILE, *(f" token{place}" for place in range(24))]
    logits = np.linspace(4, -4, len(tokens)).astype(np.float32)
    first = Measure("probability", np.linspace(0, 1, len(tokens)))
    second = Measure(f"Δ {HOSTILE}", [0.5] * len(tokens))
    heat = heat_map(tokens, [first, second], title=f"A heat map {HOSTILE}", note="n = 1")
    sets = kept_view(logits, tokens, kept(logits, range(len(tokens))), title="Kept sets", note="n = 1")
    forms = {"text/html": heat.html, "text/markdown": heat.markdown, "text/plain": heat.plain}
    picture = base64.b64encode(png()).decode()
    pictured = {"text/html": sets.html, "image/png": picture, "text/plain": sets.plain}
    return [new_output("display_data", forms), new_output("display_data", pictured)]


def notebook(title: str) -> Any:
    """Return an executed notebook with everything that a page has to cope with."""
    import pandas as pd
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    from replication.reporting import tables

    wide = pd.DataFrame({f"a long name of column {place}": [HOSTILE] for place in range(12)})
    outputs = [
        *views(),
        new_output("stream", name="stdout", text=f"printed {HOSTILE}\n"),
        shown(text_markdown=tables.captioned(tables.to_markdown(wide), "A wide table"), text_plain="no"),
        shown(text_markdown=DIRECTIVES),
        shown(text_markdown="|  | Claim |\n| --- | --- |\n| C1 | A head without a text |\n"),
        shown(text_html=f"<table><tr onclick='a()'><td>{HOSTILE}</td></tr></table>"),
        shown(text_html=SHADED),
        shown(image_png=base64.b64encode(png()).decode(), text_plain="<Figure>"),
        shown(text_markdown="**The caption of the figure**"),
        shown(text_plain=f"plain {HOSTILE}"),
    ]
    return new_notebook(
        cells=[
            new_markdown_cell(f"# {title}\n\nBelow $a_1 < b$ holds.\n\n$$\\sum_i x_i = \\frac{{1}}{{2}}$$"),
            new_code_cell("profile = 'cpu'", metadata={"tags": ["parameters"]}),
            new_markdown_cell("## What was found"),
            new_code_cell("report.table('x')", outputs=outputs, execution_count=1),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )


@pytest.fixture(scope="session")
def toy_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with two papers, three executed notebooks, judged claims, a table and a figure."""
    import nbformat

    from replication import papers
    from replication.evaluation.claims import ClaimsFile, Estimate, result, untestable

    run_dir = tmp_path_factory.mktemp("results, #1") / "cpu-toy $x$ [a](b)"
    for key, name, title in (
        ("min_p", "01_temperature", "Min-p 1: a toy with $n_1$"),
        ("min_p", "02_critique", "Min-p 2: the critique"),
        ("cot_decoding", "01_paths_and_confidence", "CoT-decoding 1: paths"),
    ):
        (run_dir / key / "notebooks").mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(title), run_dir / key / "notebooks" / f"{name}.ipynb")
    card = papers.load("min_p")
    found = [
        result("min_p", card.claim("C1a"), Estimate(0.5, 0.4, 0.6, 100)),
        result("min_p", card.claim("C1b"), Estimate(-0.5, -0.6, -0.4, 100)),
        untestable("min_p", card.claim("C1c"), f"A reason {HOSTILE}"),
    ]
    order = [claim.id for claim in card.claims]
    ClaimsFile(run_dir / "min_p" / "claims.json").replace("01_temperature", found, order)
    for name, content in {
        "tables/main_table.csv": b"a,b\n1,2\n",
        "tables/main_table.md": f"**Caption**\n\n| a | b |\n| --- | ---: |\n| {HOSTILE} | 2 |\n".encode(),
        "figures/quality_and_diversity.png": png(),
        "figures/quality_and_diversity.pdf": b"%PDF-1.4",
        "figures/quality_and_diversity.csv": b"x\n1\n",
    }.items():
        path = run_dir / "min_p" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    manifest = {"parameters": {"profile": "cpu", "model": f"toy {HOSTILE}"}, "package": {"version": "0.1.0"}}
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    return run_dir
