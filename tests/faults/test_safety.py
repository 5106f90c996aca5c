"""Nothing that comes from outside is run: models, notebooks, parameters, and what a model writes."""

import ast
import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from replication.lm.loading import load
from replication.reporting import html
from replication.settings import ROOT, InputError
from replication.tasks import latex, load_task
from replication.testbed.models import CHECKPOINTS
from replication.workflow import discovery, execute, parameters

# Whatever runs text as code, or loads what may hold code; `model.eval()` is another thing.
BARE = {"eval", "exec", "compile", "__import__"}
MODULES = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
DOTTED = {
    *("torch.load", "torch.save", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "yaml.full_load"),
    *("pd.read_pickle", "pandas.read_pickle", "subprocess.getoutput", "subprocess.getstatusoutput"),
}
SWITCHES = {"shell": True, "trust_remote_code": True, "allow_pickle": True, "weights_only": False,
            "use_safetensors": False, "safe_serialization": False}  # fmt: skip


def dangers(code: str) -> list[str]:
    """Return what a source would run, load or switch on that it should not."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names if one.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module or ""] * ((node.module or "").partition(".")[0] in MODULES)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found += [name] * (name in BARE | DOTTED)
            for word in node.keywords:
                value = word.value.value if isinstance(word.value, ast.Constant) else None
                found += [str(word.arg)] * (word.arg in SWITCHES and value is SWITCHES[word.arg])
    return found


def sources() -> dict[str, str]:
    """Return every program text of the project: modules and the code cells of notebooks."""
    found = {}
    for folder in ("replication", "benchmarks"):
        found |= {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / folder).rglob("*.py")}
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        found[str(path.relative_to(ROOT))] = code
    return found


@pytest.mark.parametrize(
    "code",
    [
        *("eval('1')", "exec(text)", "import pickle", "from joblib import load", "torch.load(path)"),
        *("os.system(text)", "yaml.load(text)", "subprocess.run(text, shell=True)"),
        *("Model.from_pretrained(name, trust_remote_code=True)", "np.load(path, allow_pickle=True)"),
    ],
)
def test_the_search_finds_what_it_looks_for(code):
    assert len(dangers(code)) == 1
    assert not dangers("model.eval()\nsubprocess.run(words)\nnp.load(path, allow_pickle=False)")


def test_no_source_runs_text_or_loads_pickles():
    texts = sources()
    assert len(texts) > 250
    assert {name: found for name, code in texts.items() if (found := dangers(code))} == {}


FOREIGN = """
open({marker!r}, "w").close()
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast
class Config(PretrainedConfig): model_type = "foreign"
class Model(PreTrainedModel): config_class = Config
class Tokenizer(PreTrainedTokenizerFast): pass
"""
MAP = {"AutoConfig": "foreign.Config", "AutoModelForCausalLM": "foreign.Model"}


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file that appears when foreign code has run."""
    return tmp_path / "ran"


@pytest.fixture
def folder(tmp_path: Path, marker: Path) -> Path:
    """A small model with a module of its own beside the weights."""
    place = tmp_path / "model"
    shutil.copytree(CHECKPOINTS / "control-00", place)
    shutil.copytree(CHECKPOINTS / "tokenizer", place, dirs_exist_ok=True)
    (place / "foreign.py").write_text(FOREIGN.format(marker=str(marker)))
    return place


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps((json.loads(path.read_text()) if path.is_file() else {}) | values))


@pytest.mark.parametrize("part", ["architecture", "tokenizer"])
def test_a_model_with_code_of_its_own_is_refused(folder, marker, part):
    if part == "architecture":
        change(folder / "config.json", model_type="foreign", auto_map=MAP)
    else:
        own = {"AutoTokenizer": [None, "foreign.Tokenizer"]}
        change(folder / "tokenizer_config.json", tokenizer_class="Foreign", auto_map=own)
    with pytest.raises(InputError, match="such code is never run: choose a model"):
        load(str(folder))
    assert not marker.exists()


def test_a_known_architecture_is_loaded_without_the_code_beside_it(folder, marker):
    change(folder / "config.json", auto_map=MAP)
    assert type(load(str(folder)).model).__name__ == "LlamaForCausalLM"
    assert not marker.exists()


ATTEMPTS = (
    "__import__('os').system('touch {marker}')",
    "open('{marker}','w')",
    "eval(\"open('{marker}','w')\")",
    "\\text{{__import__('pathlib').Path('{marker}').touch()}}",
    "\\operatorname{{exec}}(\"open('{marker}','w')\")",
    "1+__import__('os').system('touch {marker}')",
    "\\input{{{marker}}}",
    "\\immediate\\write18{{touch {marker}}}",
    "lambda: open('{marker}','w')",
    "9**9; import os; os.system('touch {marker}')",
)


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_answer_is_mathematics_and_never_code(attempt, marker):
    text = attempt.format(marker=marker)
    task = load_task("math500", data_dir=str(math_file(marker.parent)))
    found = task.extract(f"So the answer is \\boxed{{{text}}}.")
    assert not task.grade(found and found.value, "42")
    assert not latex.equal(text, "42")
    assert not latex._HELPER.ask(text, "42")
    assert not marker.exists()


def math_file(place: Path) -> Path:
    """Write one question of MATH-500 and return its folder."""
    question = {"problem": "6 * 7?", "answer": "42", "level": 1, "unique_id": "a"}
    (place / "test.jsonl").write_text(json.dumps(question) + "\n")
    return place


GREEDY = """
import io, sys
from replication.tasks import latex_worker
latex_worker.MEMORY = {limit}
latex_worker.compare = lambda value, gold: value == gold == "1" or bool(bytearray(int(value)))
replies = io.StringIO()
latex_worker.serve(io.StringIO('["1000", "2"]\\n["{size}", "2"]\\n["1000", "2"]\\n'), replies)
print(replies.getvalue().split())
"""


def test_a_comparison_has_a_limit_of_memory():
    # A limit below this process's own size would stop its library; the request is a multiple of it.
    source = GREEDY.format(limit=4 * 2**30, size=16 * 2**30)
    call = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert call.stdout.strip() == "['ready', 'equal', 'different', 'equal']", call.stderr[-2000:]


def write(path: Path, *cells: dict) -> Path:
    """Write a notebook with a cell of parameters in front."""
    names = ("profile", "model", "task", "data_dir", "device", "results_dir")
    lines = "\n".join(["seed = 0", *(f'{name} = ""' for name in names)])
    first = new_code_cell(lines, metadata={"tags": ["parameters"]})
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=[first, *cells], metadata=kernel), path)
    return path


@pytest.fixture
def foreign(tmp_path: Path, marker: Path) -> Path:
    """A notebook from elsewhere: every cell would leave a trace, and its stored outputs would act."""
    trace = f"open({str(marker)!r}, 'w').close()"
    script = "<script>document.title = 'acted'</script><img src=x onerror='document.title = 1'>"
    data = {"text/html": script, "application/javascript": "document.title = 'acted'", "text/plain": "shown"}
    acting = new_code_cell(trace, execution_count=1, outputs=[new_output("display_data", data)])
    fence = new_markdown_cell(f"# Foreign\n\n```{{code-cell}}\n{trace}\n```\n\n{script}")
    path = tmp_path / "notebooks" / "01_cot_decoding" / "01_x.ipynb"
    return write(path, new_code_cell(trace), new_code_cell(f"!touch {marker}"), fence, acting)


def test_reading_a_foreign_notebook_runs_nothing(foreign, marker, tmp_path):
    assert [one.path for one in discovery.notebooks(foreign.parents[1])] == [foreign]
    assert parameters.changed(foreign, {"seed": 3}) == {"seed": 3}
    page = html.export(foreign, tmp_path / "page.html").read_text().lower()
    assert "foreign" in page
    assert "<script" not in page
    assert "onerror='" not in page.replace("onerror='document.title = 1'&gt;", "")
    assert not marker.exists()


@pytest.mark.slow
def test_the_commands_that_read_run_no_foreign_notebook(foreign, marker, tmp_path):
    run_dir = tmp_path / "results" / "cpu-testbed"
    target = run_dir / "cot_decoding" / "notebooks" / foreign.name
    target.parent.mkdir(parents=True)
    shutil.copy(foreign, target)
    for words in (
        ["list", "--results", str(run_dir.parent), "--notebooks", str(foreign.parents[1])],
        ["refresh", "--results", str(run_dir.parent), "--notebooks", str(foreign.parents[1])],
        ["compare", "cpu-testbed", "cpu-testbed", "--results", str(run_dir.parent)],
    ):
        call = subprocess.run(
            [sys.executable, "-m", "replication", *words], capture_output=True, text=True, check=False
        )
        assert "Traceback" not in call.stderr, call.stderr
        assert not marker.exists(), words


def test_a_notebook_without_outputs_is_not_executed_by_the_site():
    settings_file = ROOT / "replication" / "reporting" / "site" / "conf.py"
    modes = [line for line in settings_file.read_text().splitlines() if line.startswith("nb_execution_mode")]
    assert modes == ['nb_execution_mode = "off"']


@pytest.mark.slow
def test_a_parameter_is_a_value_and_never_code(tmp_path, marker):
    text = f"'; open({str(marker)!r}, 'w') #\n\"\"\"{{x}}\\' + __import__('os').getcwd()"
    source = write(tmp_path / "01_x" / "01_x.ipynb", new_code_cell(f"print(task == {text!r})"))
    execute.execute(source, tmp_path / "out.ipynb", {"task": text})
    last = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1]
    assert last.outputs[0].text == "True\n"
    assert not marker.exists()


class Acting(HTMLParser):
    """Collects the tags and attributes of a page that could act."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [tag] * (tag not in html.TAGS | html.MATHML)
        self.found += [name for name, value in attributes if name.startswith("on")]
        self.found += [name for name, value in attributes if "script:" in (value or "").lower()]


def test_the_reader_sees_what_acts():
    assert Acting("<p onclick='a()'><script>b()</script><a href='javascript:c()'>").found == [
        "onclick", "script", "href",
    ]  # fmt: skip


PARTS = (
    *("<script>", "</script>", "<img src=x ", "onerror=a()", ">", "<svg/onload=a()>", "<a href=", "'", '"'),
    *("javascript:a()", "[x](", ")", "$", "`", "```", "\n", "<!--", "-->", "<math>", "<style>", "&lt;", "\\"),
)


@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=14).map("".join))
def test_no_text_becomes_something_that_acts(text):
    assert not Acting(html.sanitise(html.markdown(text))).found
