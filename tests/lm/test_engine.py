import numpy as np
import pytest
import torch

from replication.lm import batch as batch_module
from replication.lm import engine
from replication.lm.engine import generate
from replication.lm.loading import LanguageModel
from replication.lm.paths import COLUMNS, VALUES
from replication.lm.session import Session
from replication.settings import InputError


def tokens(table):
    return {(row.question, row.branch): row.tokens.tolist() for row in table.itertuples()}


def retuned(lm, eos):
    """Return a copy of `lm` (same weights) that ends at other ids."""
    import copy

    model = copy.copy(lm.model)
    model.generation_config = copy.deepcopy(lm.model.generation_config)
    model.generation_config.eos_token_id = sorted(eos)
    return LanguageModel(model, lm.tokenizer, lm.name, lm.fingerprint)


def test_greedy_has_the_tokens_of_generate(lm, prompts, greedy):
    table = generate(lm, prompts, max_new_tokens=24)
    assert [row.tolist() for row in table.tokens] == [greedy(lm, prompt, 24) for prompt in prompts]
    assert list(table.columns) == list(COLUMNS)
    assert table.prompt_tokens.tolist() == [len(prompt) for prompt in prompts]


def test_top_k_branches_continue_prompt_and_token(lm, prompts, greedy):
    table = generate(lm, prompts, branches=4, first="top-k", max_new_tokens=12)
    paths = tokens(table)
    for place, prompt in enumerate(prompts):
        with torch.inference_mode():
            best = lm.model(torch.tensor([prompt])).logits[0, -1].topk(4).indices.tolist()
        assert [paths[str(place), branch][0] for branch in range(4)] == best
        for branch, token in enumerate(best):
            rest = [] if token in lm.eos_ids else greedy(lm, [*prompt, token], 11)
            assert paths[str(place), branch] == [token, *rest]
    assert tokens(generate(lm, prompts, max_new_tokens=12)) == {k: v for k, v in paths.items() if k[1] == 0}


def test_branching_later_follows_the_greedy_path_first(make_lm, prompts, greedy):
    lm = make_lm("llama")
    plain = tokens(generate(lm, prompts, max_new_tokens=10))
    table = generate(lm, prompts, branches=3, first="top-k", branch_step=2, max_new_tokens=10)
    assert set(table.branch_step) == {2}
    paths = tokens(table)
    for place, prompt in enumerate(prompts):
        start = plain[str(place), 0][:2]
        assert paths[str(place), 0] == plain[str(place), 0]
        branched = [paths[str(place), branch] for branch in range(3)]
        assert all(path[:2] == start for path in branched)
        assert len({path[2] for path in branched}) == 3
        assert branched[2] == [*start, branched[2][2], *greedy(lm, [*prompt, *branched[2][:3]], 7)]
    values = table[table.question == "0"]
    assert len({tuple(row[:2]) for row in values.logprob}) == 1


def test_prompt_whose_greedy_path_ends_before_the_branch_has_that_path_only(make_lm, prompts):
    lm = make_lm("qwen2")
    plain = tokens(generate(lm, prompts, max_new_tokens=10))
    short = [question for (question, _), path in plain.items() if len(path) <= 3]
    assert 0 < len(short) < len(prompts)
    for budget in (10**6, 30):
        table = generate(
            lm, prompts, branches=3, first="top-k", branch_step=3, max_new_tokens=10, token_budget=budget
        )
        counts = table.groupby("question").size().to_dict()
        assert counts == {str(i): 1 if str(i) in short else 3 for i in range(len(prompts))}


def test_ended_rows_leave_without_changing_the_others(make_lm, prompts, greedy, monkeypatch):
    base = make_lm("qwen2")
    frequent = np.concatenate([row[3:] for row in generate(base, prompts, max_new_tokens=16).tokens])
    lm = retuned(base, {2, *frequent[:4].tolist()})
    sizes = []
    original = Session.step
    monkeypatch.setattr(Session, "step", lambda self, t: (sizes.append(len(t)), original(self, t)) and None)
    monkeypatch.setattr(batch_module, "COMPACT_SHARE", 0.0)
    one = generate(lm, prompts, branches=4, first="top-k", max_new_tokens=16)
    assert sizes[0] <= 20
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0]
    assert {"eos", "length"} <= set(one.finish)
    monkeypatch.setattr(batch_module, "COMPACT_SHARE", 2.0)
    kept = generate(lm, prompts, branches=4, first="top-k", max_new_tokens=16)
    assert tokens(one) == tokens(kept)
    for row in one.itertuples():
        if row.branch == 0:
            assert row.tokens.tolist() == greedy(lm, prompts[int(row.question)], 16)


def test_end_of_text_among_the_first_tokens(make_lm, prompts):
    base = make_lm("llama")
    with torch.inference_mode():
        second = int(base.model(torch.tensor([prompts[1]])).logits[0, -1].topk(2).indices[1])
    table = generate(retuned(base, {second}), prompts[1:2], branches=3, first="top-k", max_new_tokens=6)
    row = table.iloc[1]
    assert (row.finish, row.text, row.tokens.tolist()) == ("eos", "", [second])
    assert len(row.logprob) == len(row.entropy) == 1


def test_measures_are_those_of_raw_logits(make_lm, prompts):
    lm = make_lm("mistral")
    processors = [
        lambda ids, scores: scores.masked_fill(scores < scores.amax(-1, keepdim=True) - 1, -torch.inf)
    ]
    table = generate(
        lm, prompts, branches=2, do_sample=True, temperature=0.5, processors=processors, max_new_tokens=8
    )
    for row in table.itertuples():
        prompt = prompts[int(row.question)]
        with torch.inference_mode():
            logits = lm.model(torch.tensor([prompt + row.tokens.tolist()])).logits[0, len(prompt) - 1 : -1]
        log_p = logits.double().log_softmax(-1)
        p = log_p.exp()
        expected = {
            "logprob": log_p.gather(1, torch.tensor(row.tokens.astype(np.int64))[:, None])[:, 0],
            "top1": p.topk(2).values[:, 0],
            "top2": p.topk(2).values[:, 1],
            "entropy": -(p * log_p).sum(-1),
        }
        for name in VALUES:
            found = getattr(row, name)
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, expected[name], atol=2e-5, err_msg=name)


SAMPLED = {"do_sample": True, "temperature": 1.3, "seed": 5}


@pytest.mark.parametrize("architecture", ["llama", "mistral-window", "gpt2"])
@pytest.mark.parametrize(
    ("first", "options"), [("top-k", {}), ("free", {}), ("top-k", SAMPLED), ("free", SAMPLED)]
)
def test_results_do_not_depend_on_budget_or_order(make_lm, prompts, architecture, first, options):
    lm = make_lm(architecture)
    branches = 3 if options or first == "top-k" else 1
    options = options | {"branches": branches, "first": first, "max_new_tokens": 6}
    names = [f"q{i}" for i in range(len(prompts))]
    one = generate(lm, prompts, ids=names, **options)
    turned = generate(lm, prompts[::-1], ids=names[::-1], token_budget=70, **options)
    tiny = generate(lm, prompts, ids=names, token_budget=1, **options)
    alone = tokens(generate(lm, prompts[2:3], ids=names[2:3], **options))
    assert tokens(one) == tokens(turned) == tokens(tiny)
    assert alone == {key: path for key, path in tokens(one).items() if key[0] == "q2"}
    assert one.question.tolist() == [name for name in names for _ in range(branches)]
    assert turned.question.tolist() == [name for name in names[::-1] for _ in range(branches)]
    for left, right in zip(one.logprob, tiny.logprob, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-4)


def test_samples_differ_by_seed_branch_and_question(make_lm, prompts):
    lm = make_lm("qwen2")
    options = {"branches": 4, "do_sample": True, "temperature": 3.0, "max_new_tokens": 8}
    one = generate(lm, [prompts[0]] * 2, ids=["a", "b"], **options)
    assert len({tuple(path) for path in one.tokens}) == 8
    other = generate(lm, [prompts[0]] * 2, ids=["a", "b"], seed=1, **options)
    assert not set(map(tuple, one.tokens)) & set(map(tuple, other.tokens))
    more = generate(lm, [prompts[0]], ids=["a"], **(options | {"branches": 2}))
    assert tokens(more) == {key: path for key, path in tokens(one).items() if key in {("a", 0), ("a", 1)}}


def test_samples_follow_the_distribution(make_lm, prompts):
    lm = make_lm("llama")
    table = generate(lm, prompts[1:2], branches=3000, do_sample=True, temperature=1.5, max_new_tokens=1)
    with torch.inference_mode():
        p = (lm.model(torch.tensor([prompts[1]])).logits[0, -1] / 1.5).softmax(-1).numpy()
    counts = np.bincount([path[0] for path in table.tokens], minlength=len(p))
    np.testing.assert_allclose(counts / 3000, p, atol=4 * np.sqrt(0.25 / 3000))


def test_processors_see_padded_rows_and_raw_scores_after_temperature(make_lm, prompts):
    lm = make_lm("llama")
    seen = []

    def processor(ids, scores):
        seen.append((ids.clone(), scores.clone()))
        return scores

    table = generate(
        lm, prompts[:2], do_sample=True, temperature=2.0, processors=[processor], max_new_tokens=3
    )
    width = max(len(prompt) for prompt in prompts[:2])
    for step, (ids, scores) in enumerate(seen):
        assert ids.shape[1] == width + step
        assert scores.dtype == torch.float32
        assert torch.isfinite(scores).all()
        for row in ids.tolist():
            prompt = next(i for i, p in enumerate(prompts[:2]) if row[width - len(p) : width] == p)
            assert row[width:] == table.tokens[prompt][:step].tolist()
    raw = lm.model(seen[0][0][:1, -len(prompts[0]) :]).logits[0, -1]
    np.testing.assert_allclose(seen[0][1][0], raw.detach() / 2.0, atol=1e-5)


def test_greedy_with_library_processors_equals_generate(make_lm, prompts):
    from transformers import LogitsProcessorList, RepetitionPenaltyLogitsProcessor

    lm = make_lm("qwen2")
    table = generate(
        lm, prompts[:1], processors=[RepetitionPenaltyLogitsProcessor(1.5)], max_new_tokens=16, branches=1
    )
    ids = torch.tensor(prompts[:1])
    output = lm.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=16,
        pad_token_id=lm.pad_id,
        logits_processor=LogitsProcessorList([RepetitionPenaltyLogitsProcessor(1.5)]),
    )
    assert table.tokens[0].tolist() == output[0, ids.shape[1] :].tolist()


class Scripted:
    """Replaces the choice of tokens: every row emits the given ids."""

    def __init__(self, script):
        self.script = script

    def __call__(self, ids, scores):
        step = self.calls if hasattr(self, "calls") else 0
        self.calls = step + 1
        forced = torch.full_like(scores, -torch.inf)
        forced[:, self.script[step]] = 0.0
        return forced


def run_script(lm, text, stop=(), extra=0):
    ids = lm.tokenizer.encode(text, add_special_tokens=False)
    options = {"processors": [Scripted(ids)], "max_new_tokens": len(ids) + extra, "stop": stop}
    return ids, generate(lm, [[1, 5]], **options).iloc[0]


def test_stop_string_across_token_borders(make_lm):
    lm = make_lm("llama")
    ids, row = run_script(lm, "on 7.\nQ: more text", stop=("\nQ:", "zzz"))
    assert row.finish == "stop"
    assert row.text == "on 7."
    assert lm.decode(row.tokens) == "on 7.\nQ:"
    assert row.tokens.tolist() == ids[: len(row.tokens)]
    assert len(row.logprob) == len(row.tokens)


def test_stop_string_inside_one_token_and_non_ascii(make_lm):
    lm = make_lm("llama")
    _, row = run_script(lm, "x a b", stop=("a",))
    assert (row.text, row.finish) == ("x ", "stop")
    _, row = run_script(lm, "1。2。", stop=("。",))
    assert (row.text, row.finish, len(row.tokens)) == ("1", "stop", 4)


def test_characters_split_over_tokens_are_decoded_whole(make_lm):
    lm = make_lm("llama")
    ids, row = run_script(lm, "né 日本 🦊.", stop=("#",))
    assert row.text == "né 日本 🦊."
    assert len(ids) > len(row.text)
    assert row.finish == "length"


def test_paths_end_where_a_position_table_ends(make_lm):
    lm = make_lm("gpt2", max_position_embeddings=20)
    table = generate(lm, [[5] * 17, [7, 8]], max_new_tokens=10)
    lengths = table.tokens.map(len).tolist()
    assert lengths[0] == 3 or table.finish[0] == "eos"
    assert lengths[1] == 10 or table.finish[1] == "eos"
    with pytest.raises(InputError, match="takes fewer than 20"):
        generate(lm, [[5] * 20], max_new_tokens=2)


def test_memory_back_off_gives_the_same_paths(make_lm, prompts, monkeypatch):
    lm = make_lm("llama")
    options = {"branches": 4, "first": "top-k", "max_new_tokens": 6}
    expected = generate(lm, prompts, **options)
    original, failed = Session.select, []

    def select(self, index):
        if len(index) > 3:
            failed.append(len(index))
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.")
        original(self, index)

    monkeypatch.setattr(Session, "select", select)
    table = generate(lm, prompts, **options)
    assert failed
    assert tokens(table) == tokens(expected)
    assert table.question.tolist() == expected.question.tolist()


def test_single_row_that_does_not_fit(make_lm, prompts, monkeypatch):
    def step(self, given):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Session, "step", step)
    with pytest.raises(InputError, match="does not fit in memory"):
        generate(make_lm("llama"), prompts, max_new_tokens=4)


def test_other_errors_pass_through(make_lm, prompts):
    def broken(ids, scores):
        raise RuntimeError("shape mismatch")

    with pytest.raises(RuntimeError, match="shape mismatch"):
        generate(make_lm("llama"), prompts, processors=[broken], max_new_tokens=4)


def test_finished_batches_are_handed_over(make_lm, prompts):
    lm = make_lm("llama")
    seen = []
    table = generate(
        lm, prompts, branches=2, first="top-k", max_new_tokens=5, token_budget=40, on_batch=seen.append
    )
    assert len(seen) > 1
    assert sum(map(len, seen)) == len(table)
    assert {k: v for part in seen for k, v in tokens(part).items()} == tokens(table)


def test_logits_are_not_kept(make_lm):
    lm = make_lm("llama", vocab_size=20_000)
    largest = 0

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            nonlocal largest
            out = func(*args, **(kwargs or {}))
            for value in out if isinstance(out, (tuple, list)) else [out]:
                if isinstance(value, torch.Tensor):
                    largest = max(largest, value.numel())
            return out

    rows, steps = 12, 30
    with Watch():
        table = generate(lm, [[1, 5, 6]] * 3, branches=4, first="top-k", max_new_tokens=steps)
    weights = max(p.numel() for p in lm.model.parameters())
    assert largest <= max(weights, rows * 20_000)
    assert sum(row.nbytes for name in ("tokens", *VALUES) for row in table[name]) <= rows * steps * 20


def test_batches_stay_within_the_budgets(make_lm, prompts, monkeypatch):
    lm = make_lm("llama")
    widths = []
    original = Session._forward

    def forward(self, ids, positions):
        widths.append(len(ids) * (self._ids.shape[1]))
        return original(self, ids, positions)

    monkeypatch.setattr(Session, "_forward", forward)
    generate(lm, prompts, branches=6, first="top-k", max_new_tokens=10, token_budget=200)
    assert max(widths) <= 200
    monkeypatch.setattr(engine, "LOGIT_BUDGET", 2 * lm.width)
    widths.clear()
    generate(lm, prompts, branches=6, first="top-k", max_new_tokens=10)
    assert max(widths) <= 2 * (max(map(len, prompts)) + 10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first": "best"}, "'free' or 'top-k'"),
        ({"branches": 0}, "branches >= 1"),
        ({"branches": 2}, "do_sample=True"),
        ({"branch_step": 1}, "first='top-k'"),
        ({"branch_step": 4, "first": "top-k"}, "needs more than 4"),
        ({"do_sample": True, "temperature": 0.0}, "temperature > 0"),
        ({"stop": ("",)}, "empty"),
        ({"ids": ["a", "a"]}, "distinct id"),
        ({"branches": 1000, "first": "top-k"}, "as many tokens"),
    ],
)
def test_arguments_out_of_range(make_lm, options, message):
    with pytest.raises(InputError, match=message):
        generate(make_lm("llama"), [[1, 5], [1, 6]], **({"max_new_tokens": 4} | options))


@pytest.mark.parametrize(("prompt", "message"), [([], "empty"), ([1, 5000], "outside"), ([-1], "outside")])
def test_prompts_that_cannot_be_run(make_lm, prompt, message):
    with pytest.raises(InputError, match=message):
        generate(make_lm("llama"), [prompt], max_new_tokens=4)


def test_no_prompts_give_an_empty_table(make_lm):
    table = generate(make_lm("llama"), [], max_new_tokens=4)
    assert len(table) == 0
    assert list(table.columns) == list(COLUMNS)


@pytest.mark.parametrize("budget", [None, 40])
def test_given_first_tokens_continue_as_free_rows_that_draw_them(make_lm, prompts, budget):
    lm = make_lm("qwen2")
    options = {"do_sample": True, "max_new_tokens": 6, "token_budget": budget}
    free = tokens(generate(lm, prompts, branches=5, **options))
    given = [
        {branch: free[str(place), branch][0] for branch in (0, 2, 3) if branch != place}
        for place in range(len(prompts))
    ]
    given[1] = {}
    table = generate(lm, prompts, first="given", given=given, **options)
    wanted = {(q, b): path for (q, b), path in free.items() if b in given[int(q)]}
    assert tokens(table) == wanted
    assert list(zip(table.question, table.branch, strict=True)) == sorted(wanted)


def test_given_tokens_may_end_a_path_and_are_forced_on_greedy_ones(make_lm, prompts, greedy):
    lm = make_lm("llama")
    (end,) = lm.eos_ids
    paths = tokens(generate(lm, prompts[:1], first="given", given=[{0: end, 7: 11}], max_new_tokens=5))
    assert paths == {("0", 0): [end], ("0", 7): [11, *greedy(lm, [*prompts[0], 11], 4)]}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"first": "given"}, "one mapping per prompt"),
        ({"given": [{0: 1}]}, "one mapping per prompt"),
        ({"first": "given", "given": []}, "one mapping per prompt"),
        ({"first": "given", "given": [{0: 10**6}]}, "outside the model"),
        ({"first": "given", "given": [{-1: 1}]}, "negative"),
    ],
)
def test_given_tokens_that_do_not_fit(make_lm, prompts, options, says):
    with pytest.raises(InputError, match=says):
        generate(make_lm("llama"), prompts[:1], max_new_tokens=2, **options)
