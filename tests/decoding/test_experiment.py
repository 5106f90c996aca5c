"""Model runs of an experiment: keyed by all that determines them, done once, in the right shape."""

import pytest

from replication.decoding.experiment import Experiment, describe
from replication.lm import engine
from replication.settings import InputError, Settings
from replication.tasks import prompts
from replication.tasks.base import Question, Task

SIZES = {"n_questions": 3, "n_small": 2, "k": 4, "samples": 5, "seeds": 2, "max_new_tokens": 6}


@pytest.fixture(scope="session")
def saved(kit, tmp_path_factory):
    """Folders of two tiny random models of one tokenizer."""
    folders = []
    for seed in (0, 1):
        folder = tmp_path_factory.mktemp("tiny") / f"tiny-{seed}"
        lm = kit.random_lm(kit.tokenizers["byte"](), seed)
        lm.model.save_pretrained(folder)
        lm.tokenizer.save_pretrained(folder)
        folders.append(str(folder))
    return folders


@pytest.fixture
def make(saved, tmp_path):
    """Maker of experiments that share their records."""

    def experiment(**changed):
        base = {
            "paper": "cot_decoding",
            "profile": "smoke",
            "model": saved[0],
            "task": "stories:level=1",
            "data_dir": "",
            "seed": 0,
            "device": "cpu",
            "results": tmp_path / "results",
            "default_task": "stories:level=1",
            "sizes": SIZES,
        }
        return Experiment(Settings(**(base | changed)))

    return experiment


def counted(experiment):
    return experiment.store.computed, experiment.store.reused


def test_branches_of_every_question(make, tmp_path):
    experiment = make()
    run = experiment.branches()
    assert len(run.questions) == len(run.gold) == len(run.prompts) == 3
    assert run.frame["question"].tolist() == [q.id for q in run.questions for _ in range(4)]
    assert run.frame["branch"].tolist() == [0, 1, 2, 3] * 3
    assert run.frame["tokens"].map(len).max() <= 6
    question = run.questions[0]
    assert run.gold[question.id] == question.answer
    assert run.lm.decode(run.prompts[question.id]) == f"Q: {question.text}\nA:"
    stored = list((tmp_path / "results").rglob("*.parquet"))
    assert [path.parent for path in stored] == [experiment.settings.records_dir]
    direct = engine.generate(
        run.lm,
        list(run.prompts.values()),
        ids=list(run.prompts),
        branches=4,
        first="top-k",
        max_new_tokens=6,
        stop=run.task.stop,
    )
    assert direct["text"].tolist() == run.frame["text"].tolist()


def test_a_run_is_done_once(make):
    first = make()
    frame = first.branches().frame
    assert counted(first) == (1, 0)
    assert first.branches().frame.equals(frame)
    assert first.branches(k=4, branch_step=0, task="stories:level=1").frame.equals(frame)
    assert counted(first) == (1, 2)
    again = make()
    assert again.branches().frame.equals(frame)
    assert counted(again) == (0, 1)


@pytest.mark.parametrize(
    "where",
    [
        {"k": 3},
        {"branch_step": 1},
        {"n": 2},
        {"style": "zero_shot_cot"},
        {"suffix": " The answer is"},
        {"task": "coins:level=2"},
    ],
)
def test_another_setting_is_another_stage(make, where):
    experiment = make()
    run = experiment.branches()
    other = experiment.branches(**where)
    assert counted(experiment) == (2, 0)
    assert not other.frame.equals(run.frame)


def test_another_wording_of_the_prompt_is_another_stage(make, monkeypatch):
    experiment = make()
    experiment.branches()
    monkeypatch.setattr(prompts, "build", lambda text, *rest: f"Question: {text}\nA:")
    run = experiment.branches()
    assert counted(experiment) == (2, 0)
    question = run.questions[0]
    assert run.lm.decode(run.prompts[question.id]) == f"Question: {question.text}\nA:"


def test_another_model_length_or_seed_is_another_stage(make, saved):
    experiment = make()
    experiment.branches()
    experiment.branches(model=saved[1])
    assert counted(experiment) == (2, 0)
    assert experiment.model(saved[1]) is experiment.model(saved[1])
    assert experiment.model() is experiment.model(saved[0])
    for changed in ({"sizes": SIZES | {"max_new_tokens": 5}}, {"seed": 1}):
        other = make(**changed)
        other.branches()
        assert counted(other) == (1, 0)
    longer = make(sizes=SIZES | {"max_new_tokens": 0, "n_questions": 1, "k": 1}).branches()
    assert longer.frame["tokens"].map(len).max() <= longer.task.max_new_tokens


def test_the_suffix_stands_behind_the_prompt(make):
    run = make().decode("greedy", suffix=" The answer is")
    assert run.lm.decode(run.prompts[run.questions[0].id]).endswith("?\nA: The answer is")


@pytest.mark.parametrize(
    ("decoder", "paths"),
    [("greedy", 1), ("beam", 1), ("temperature", 1), ("top-k", 1), ("self-consistency", 5)],
)
def test_baselines(make, decoder, paths):
    run = make().decode(decoder)
    assert run.frame["question"].tolist() == [q.id for q in run.questions for _ in range(paths)]
    assert run.frame["branch"].tolist() == list(range(paths)) * 3


def test_seeds_count_for_samplers_only(make):
    experiment = make()
    texts = [experiment.decode("temperature", seed=s).frame["text"].tolist() for s in (0, 1)]
    assert texts[0] != texts[1]
    assert counted(experiment) == (2, 0)
    shifted = make(seed=1)
    shifted_task = Task("own", "number", lambda split, n, seed: experiment.task.questions(split, n, 0))
    own = experiment.decode("temperature", seed=1, task=shifted_task).frame
    assert shifted.decode("temperature", seed=0, task=shifted_task).frame.equals(own)  # seeds add up
    for s in (0, 1):
        experiment.decode("greedy", seed=s)
    assert counted(experiment)[1] == 1


def test_greedy_is_the_first_branch(make):
    experiment = make()
    branches = experiment.branches().frame
    first = branches.loc[branches["branch"] == 0, "text"]
    assert experiment.decode("greedy").frame["text"].tolist() == first.tolist()


def test_tasks_by_object(make):
    questions = [Question("a", "1+1?", "2"), Question("b", "2+2?", "4")]
    task = Task("sums", "number", lambda split, n, seed: questions[:n])
    run = make().branches(task=task, k=2)
    assert run.questions == tuple(questions)
    assert run.task is task
    assert len(run.frame) == 4


def test_the_runs_own_files_are_used_under_every_name_of_its_task(make, tmp_path):
    line = '{"question": "How many is 1+1?", "answer": "So <<1+1=2>>2\\n#### 2"}\n'
    (tmp_path / "test.jsonl").write_text(line)
    experiment = make(task="gsm8k", data_dir=str(tmp_path), sizes=SIZES | {"k": 1})
    own = experiment.branches()
    assert own.gold == {"gsm8k-test-0": "2"}
    assert experiment.branches(task="gsm8k").questions == own.questions
    assert experiment.branches(task="coins:level=2").task.name == "coins:level=2"


def test_questions_without_data(make, tmp_path):
    with pytest.raises(InputError, match=r"has no test\.jsonl"):
        make(task="gsm8k", data_dir=str(tmp_path)).branches()
    with pytest.raises(InputError, match="at least one item"):
        make().branches(task=Task("none", "number", lambda split, n, seed: []))
    with pytest.raises(InputError, match="Unknown task 'riddles'"):
        make().branches(task="riddles")


def test_unknown_decoder(make):
    with pytest.raises(InputError, match="Unknown decoder 'guess'"):
        make().decode("guess")


def test_a_missing_model_is_told(make):
    with pytest.raises(InputError, match="nowhere"):
        make(model="/nowhere/tiny").branches()


def test_a_published_set_is_used_whole_unless_a_number_is_given(make):
    asked = Task(
        "list", "number", lambda split, n, seed: [Question(f"q{i}", "1+1=", "2") for i in range(9)][:n]
    )
    cpu = {"profile": "cpu"}
    assert len(make(**cpu).decode("greedy", task=asked).questions) == 9
    assert len(make().decode("greedy", task=asked).questions) == 3  # the smoke profile stays small
    assert len(make(**cpu, given=frozenset({"n_questions"})).decode("greedy", task=asked).questions) == 3
    assert len(make(**cpu).decode("greedy", task=asked, n=4).questions) == 4
    assert len(make(**cpu).decode("greedy").questions) == 3  # generated questions have no end


def test_sampled_paths_are_keyed_by_processors_and_temperature(make):
    from transformers import TopKLogitsWarper

    experiment = make()
    run = experiment.sample([TopKLogitsWarper(3)], temperature=2.0, samples=2)
    assert run.frame["branch"].tolist() == [0, 1] * 3
    again = experiment.sample([TopKLogitsWarper(3)], temperature=2.0, samples=2)
    assert counted(experiment) == (1, 1)
    assert again.frame.equals(run.frame)
    for changed in (
        {"processors": [TopKLogitsWarper(4)]},
        {"temperature": 3.0},
        {"samples": 1},
        {"seed": 1},
        {"split": "validation"},
    ):
        computed = experiment.store.computed
        experiment.sample(
            **({"processors": [TopKLogitsWarper(3)], "temperature": 2.0, "samples": 2} | changed)
        )
        assert experiment.store.computed == computed + 1


def test_sampling_at_temperature_zero_is_greedy(make):
    experiment = make()
    cold, greedy = experiment.sample(temperature=0), experiment.decode("greedy")
    assert cold.frame.equals(greedy.frame)


def test_processors_are_described_by_their_numbers():
    from transformers import EtaLogitsWarper, TopPLogitsWarper

    assert describe(TopPLogitsWarper(0.9)) == describe(TopPLogitsWarper(0.9))
    assert "top_p=0.9" in describe(TopPLogitsWarper(0.9))
    assert describe(TopPLogitsWarper(0.9)) != describe(TopPLogitsWarper(0.8))
    assert describe(EtaLogitsWarper(epsilon=0.25)) != describe(EtaLogitsWarper(epsilon=0.5))
