"""Measured work of a notebook, carried over to other sizes, another model and another task."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from replication import papers
from replication.settings import InputError
from replication.workflow import growth, machines
from replication.workflow.growth import MAIN, Growth, Sizes
from replication.workflow.ledger import Entry
from replication.workflow.machines import Work
from replication.workflow.shapes import Shape, facts, shape

CHUNK = 100  # questions of a stage that are generated side by side, at most
SLOWEST = 2  # times the rules' seconds: what is beyond has other reasons
CHARACTERS, AROUND = 4, 6  # of a token; tokens of a prompt around its question
TESTBED = "testbed"


@dataclass(frozen=True)
class Texts:
    """Length of a task's texts in tokens: of a question in its prompt, and of an answer."""

    question: float
    answer: float

    @property
    def both(self) -> float:
        """Question and answer."""
        return self.question + self.answer


@dataclass(frozen=True)
class Asked:
    """A run of one paper: what was measured, or what is planned.

    Attributes:
        paper: its key.
        profile: of the sizes.
        model: the run's model.
        task: the run's task, a specification.
        usual: the task that the profile names.
        data_dir: folder (or file) with the task's questions, "" to take what is known of the published set.
    """

    paper: str
    profile: str
    model: str
    task: str
    usual: str
    data_dir: str = ""

    @cached_property
    def testbed(self) -> bool:
        """Whether the run's model is the testbed's."""
        from replication.testbed import models

        return self.model in models.names()

    @cached_property
    def published(self) -> Mapping[str, float] | None:
        """What is known of a published task, number and length of the questions from the files if given.

        None for a generated task.

        Raises:
            InputError: a task about which nothing is known, or files that cannot be read.
        """
        from replication.testbed.worlds import WORLDS

        name = self.task.partition(":")[0]
        if name in WORLDS or not name:
            return None
        if name not in facts()["tasks"]:
            known = ", ".join(one for one in facts()["tasks"] if one != TESTBED)
            raise InputError(f"The lengths of the task {name!r} are not known: plan with one of {known}.")
        return facts()["tasks"][name] | (self._read() if self.data_dir else {})

    def _read(self) -> dict[str, float]:
        """Return number and mean length of the questions in the files."""
        from replication.tasks import load_task

        texts = [question.text for question in load_task(self.task, self.data_dir).questions()]
        mean = sum(map(len, texts)) / len(texts) / CHARACTERS
        return {"size": len(texts), "question": round(mean) + AROUND}

    @cached_property
    def growth(self) -> Growth:
        """How the paper's work grows."""
        return growth.load(self.paper)

    @cached_property
    def sizes(self) -> Sizes:
        """The profile's sizes; decoding experiments ask all questions of a published set."""
        found = growth.sizes_of(self.paper, self.profile, self.growth.worlds, self.testbed)
        whole = self.published and self.profile != "smoke" and papers.load(self.paper).family == "decoding"
        if whole and "n_questions" in found:
            found["n_questions"] = self.published["size"]
        return found

    @cached_property
    def texts(self) -> Texts:
        """Lengths of the task's texts; the limit on new tokens cuts the answer."""
        known = self.published or facts()["tasks"][TESTBED]
        limit = float(self.sizes.get("max_new_tokens") or known["answer"])
        shown = facts()["few_shot"]["tokens"] if str(self.sizes.get("style", "")).startswith("few") else 0
        return Texts(known["question"] + shown, min(limit, known["answer"]))

    def stands_for(self, name: str) -> str:
        """Return the testbed model that a name means in this run."""
        from replication.testbed import grown

        return grown.STAND_INS.get(name, name) if self.profile == "gpu" else name


@dataclass(frozen=True)
class Scaled:
    """Work that is planned: of an entry, on one model, None where no model is at work.

    Attributes:
        shape: the model.
        work: what it does.
        seconds: of processor time on the CPU of the counts.
    """

    shape: Shape | None
    work: Work
    seconds: float


def scaled(entry: Entry, before: Asked, after: Asked) -> Iterator[Scaled]:
    """Yield an entry's work in another run: once for each model that does it, not at all where none does.

    Time beyond what a model can have taken stays as it is: imports, the start of a training and, of what
    belongs to no stage, tables and figures. Where texts are only read it grows with them, since it is
    spent on what their logits say.
    """
    kinds = {kind: _factor(entry, kind, before, after) for kind in growth.KINDS}
    if not entry.model:
        yield Scaled(None, Work(), entry.seconds * (kinds["read"] if entry.stage else 1.0))
        return
    done, own = _work(entry, before), machines.machine(machines.CPU)
    rule = own.seconds(_measured(entry), done)
    scores = entry.stage and not (entry.generated or entry.trained)
    spent = entry.seconds if scores else min(entry.seconds, (SLOWEST if entry.stage else 1) * rule)
    if entry.seconds > spent:
        yield Scaled(None, Work(), entry.seconds - spent)
    for target, share in _targets(entry, before, after):
        work = _carried(entry, done, {kind: share * kinds[kind] for kind in kinds}, before, after)
        yield Scaled(target, work, spent * own.seconds(target, work) / rule if rule else 0.0)


def _factor(entry: Entry, kind: str, before: Asked, after: Asked) -> float:
    """Return by how much a kind of work grows with the sizes."""
    term = after.growth.term(entry, kind, before.sizes)
    return growth.ratio(term, before.sizes, after.sizes)


def _work(entry: Entry, run: Asked) -> Work:
    """Return an entry as it was measured."""
    rows = min(CHUNK, max(1, entry.questions)) * max(1, entry.paths)
    return Work(entry.generated, entry.read, entry.trained, entry.calls, rows, run.texts.both)


def _carried(entry: Entry, done: Work, kinds: Mapping[str, float], before: Asked, after: Asked) -> Work:
    """Return work with other sizes and texts."""
    old, new = _texts(entry, before, after)
    answer, both = new.answer / old.answer, new.both / old.both
    prompts = new.question / old.question if entry.questions else both
    if after.growth.packed and not entry.questions:
        prompts = both = 1.0
    rows = _rows(entry, kinds["generated"], before, after)
    return Work(
        done.generated * kinds["generated"] * answer,
        done.read * kinds["read"] * prompts,
        done.trained * kinds["trained"] * both,
        _calls(entry, done, kinds, Work(rows=rows, width=new.both)) * (answer if entry.questions else both),
        rows,
        new.both,
    )


def _calls(entry: Entry, done: Work, kinds: Mapping[str, float], after: Work) -> float:
    """Return the forward passes: one serves all rows of a batch, so more rows alone do not make more of them.

    Of trainings and scoring they grow with the texts; of paths with what is not more rows, and beyond the
    budget of a batch with the rows as well.
    """
    used = [kind for kind in kinds if getattr(done, kind)]
    if entry.trained:
        return done.calls * kinds["trained"]
    if not entry.questions:
        texts = [kinds[kind] for kind in used if kind != "generated"] or [kinds["generated"]]
        return done.calls * max(texts)
    batches = [max(1.0, work.rows * work.width / machines.BUDGETS[True]) for work in (done, after)]
    return done.calls * max(kinds[kind] for kind in used) * (batches[1] / batches[0]) * done.rows / after.rows


def _rows(entry: Entry, grown: float, before: Asked, after: Asked) -> float:
    """Return the rows that are generated side by side.

    Of a stage whose questions are not known, the rows of a pass and as many more as there are more tokens.
    """
    if not entry.questions:
        return max(1.0, entry.generated / max(1, entry.calls) * grown)
    parts = [part.strip() for part in after.growth.rows(entry, before.sizes).split("*")][:2]
    many = [growth.ratio(part, before.sizes, after.sizes) for part in parts]
    paths = entry.paths * (many[1] if len(many) > 1 else 1.0)
    return min(CHUNK, entry.questions * many[0]) * paths


def _texts(entry: Entry, before: Asked, after: Asked) -> tuple[Texts, Texts]:
    """Return the lengths of an entry's texts before and after; further worlds are asked as they are."""
    old = before.texts
    if entry.questions and entry.paths and entry.generated:
        measured = entry.generated / (entry.runs * entry.questions * entry.paths)
        old = Texts(old.question, max(1.0, measured))
    if entry.task not in ("", before.task):  # another world; who was not trained on it goes on to the limit
        limit = facts()["tasks"][TESTBED]["limit"]
        return old, old if after.testbed else Texts(old.question, max(limit, old.answer))
    if after.task != before.task:
        return old, after.texts
    limits = [run.sizes.get("max_new_tokens") for run in (before, after)]
    longer = limits[1] / limits[0] if all(limits) else 1.0
    return old, Texts(old.question, old.answer * longer)


def _measured(entry: Entry) -> Shape:
    """Return the shape of an entry's model: a testbed model's, or one of the same layers and width."""
    from replication.workflow.shapes import of_llama

    layers, width, vocabulary = map(int, entry.model.split("x"))
    return of_llama(entry.model, width, layers, vocabulary)


def _targets(entry: Entry, before: Asked, after: Asked) -> Iterator[tuple[Shape, float]]:
    """Yield the models that do the entry's work in another run, and the share of each."""
    role = after.growth.role(entry)
    if role == MAIN:
        yield from _of_main(entry, before, after)
        return
    named = [shape(name).mark for name in str(before.sizes[role]).split()]
    if entry.model not in named:
        yield from _of_main(entry, before, after)
        return
    names = str(after.sizes[role]).split() if after.testbed else [after.model]
    shapes = [shape(after.stands_for(name)) for name in names]
    if any("cells" in after.growth.term(entry, kind, before.sizes) for kind in growth.KINDS):
        yield from ((one, 1 / len(shapes)) for one in shapes)
    else:
        yield shapes[min(named.index(entry.model), len(shapes) - 1)], 1.0


def _of_main(entry: Entry, before: Asked, after: Asked) -> Iterator[tuple[Shape, float]]:
    """Yield the run's model for its own shape; other testbed models only where they are asked at all."""
    from replication.testbed import models

    if entry.model == shape(before.model).mark:
        yield shape(after.stands_for(after.model)), 1.0
        return
    known = {shape(name).mark: name for name in reversed(models.names())}
    if entry.model not in known:
        yield _measured(entry), 1.0  # a model made for a control
    elif after.testbed:
        yield shape(after.stands_for(known[entry.model])), 1.0
