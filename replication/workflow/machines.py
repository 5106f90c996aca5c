"""How long a machine takes for counted work, and how much memory it needs: rules with stated constants.

With N parameters, reading a token takes 2 N operations and learning from one 6 N. A step of generation reads
all weights and the keys and values of its rows once; it cannot be shorter than what starting the kernels
of every layer takes. A CPU's seconds are the measured ones of the same stage, scaled by these rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from replication.settings import InputError
from replication.workflow.shapes import Shape, facts

CPU = "cpu"
# Reached shares of a data sheet's numbers: bandwidth in generating, operations in reading and training.
BANDWIDTH, READING, TRAINING = 0.7, 0.5, 0.35
LAYER_SECONDS = 6e-4  # of starting the kernels of one layer once, from Python; three times that in training
LIVE = 0.7  # share of a batch's rows that are still being generated, on average
# Of the reference CPU, one thread: operations a second in reading and training, seconds of calling one layer.
CPU_READING, CPU_TRAINING, CPU_LAYER_SECONDS = 6e10, 2.4e10, 1.5e-3
BUDGETS = {True: 2**15, False: 2**17}  # cache positions of a batch: on a CPU, on an accelerator
LOGITS = 2**27  # of one step, see `replication.lm.engine`


@dataclass(frozen=True)
class Work:
    """Work of like stages on one model.

    Attributes:
        generated: tokens generated.
        read: tokens read.
        trained: tokens trained on.
        calls: forward passes, as a CPU's batches make them.
        rows: rows that are generated side by side, before the budget of a batch parts them.
        width: positions of one row.
    """

    generated: float = 0.0
    read: float = 0.0
    trained: float = 0.0
    calls: float = 0.0
    rows: float = 1.0
    width: float = 1.0

    def flops(self, shape: Shape) -> float:
        """Return the operations."""
        return shape.parameters * (2 * (self.generated + self.read) + 6 * self.trained)


@dataclass(frozen=True)
class Machine:
    """A GPU, or the CPU that `costs.json` was measured on.

    Attributes:
        key: what the command line calls it.
        name: its name.
        flops: dense bfloat16 operations a second.
        bandwidth: bytes a second between memory and processor.
        memory: bytes, 0 where unknown.
        times: profile -> seconds of this CPU for one of the CPU that the profile was measured on.
    """

    key: str
    name: str
    flops: float = 0.0
    bandwidth: float = 0.0
    memory: float = 0.0
    times: Mapping[str, float] = field(default_factory=dict)

    @property
    def cpu(self) -> bool:
        """Whether it is the CPU."""
        return self.key == CPU

    def rows(self, work: Work) -> float:
        """Return the rows of one batch."""
        return max(1.0, min(work.rows, BUDGETS[self.cpu] / work.width))

    def seconds(self, shape: Shape, work: Work) -> float:
        """Return the seconds of work; of a CPU only ratios of them mean something."""
        if self.cpu:
            seconds = work.calls * shape.layers * CPU_LAYER_SECONDS
            seconds += 2 * shape.parameters * (work.generated + work.read) / CPU_READING
            return seconds + 6 * shape.parameters * work.trained / CPU_TRAINING
        reading = 2 * shape.parameters * work.read / (READING * self.flops)
        training = 6 * shape.parameters * work.trained / (TRAINING * self.flops)
        if work.trained and not work.generated:  # forward and backward pass and the optimiser's step
            training = max(training, 3 * work.calls * shape.layers * LAYER_SECONDS)
        return self._generating(shape, work) + reading + training

    def _generating(self, shape: Shape, work: Work) -> float:
        """Return the seconds of generating: steps times the longest of memory, arithmetic, kernel starts."""
        rows = LIVE * self.rows(work)
        moved = 2 * shape.parameters + rows * work.width / 2 * shape.cache_bytes()  # rows are half full
        step = max(
            moved / (BANDWIDTH * self.bandwidth),
            2 * shape.parameters * rows / (READING * self.flops),
            shape.layers * LAYER_SECONDS,
        )
        return work.generated / max(1.0, rows) * step

    def bytes(self, shape: Shape, work: Work) -> float:
        """Return the memory of work: weights and a batch's cache and logits, or what training holds.

        Training is that of all weights: weights, gradient and two moments in float32, a micro-batch's logits
        with their gradients, and 34 bytes a token and hidden unit of each layer.
        """
        width = 4 if self.cpu else 2
        cache = self.rows(work) * work.width * shape.cache_bytes(width) if work.generated else 0.0
        logits = 4 * 3 * min(LOGITS, self.rows(work) * shape.vocabulary)
        using = width * shape.parameters + cache + logits
        if not work.trained:
            return using
        batch = work.trained / max(1.0, work.calls)
        kept = batch * (34 * shape.hidden * shape.layers + 12 * shape.vocabulary)
        return max(using, 16 * shape.parameters + kept)


def this_cpu() -> Machine:
    """Return this machine's CPU, its speed measured within a second."""
    from replication.workflow import ledger

    now = ledger.speed()
    times = {profile: now / then for profile, then in ledger.speeds().items()}
    return Machine(CPU, "this machine's CPU as it is now, one thread a notebook", times=times)


def machine(key: str) -> Machine:
    """Return a machine by its key.

    Raises:
        InputError: no such machine.
    """
    known = facts()["machines"]
    if key == CPU:
        return Machine(CPU, "the CPU that the counts were measured on, one thread a notebook")
    if key not in known:
        raise InputError(f"Unknown machine {key!r}: choose one of {', '.join((CPU, *known))}.")
    return Machine(key, **known[key])
