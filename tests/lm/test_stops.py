from replication.lm.stops import Stops, token_texts


def test_token_texts_are_those_behind_other_text(make_lm):
    lm = make_lm("llama")
    texts = token_texts(lm)
    assert len(texts) == lm.vocabulary
    assert texts[lm.tokenizer.convert_tokens_to_ids("Ġa")] == " a"
    assert texts[2] == ""


def test_only_tokens_with_a_last_character_are_checked(make_lm):
    lm = make_lm("llama")
    stops = Stops(lm, ["\nQ:", " a"])
    checked = {text for text, flag in zip(token_texts(lm), stops.completes, strict=False) if flag}
    assert checked == {":", "Q:", "a", " a"}
    assert not Stops(lm, ()).completes.any()
    assert len(stops.completes) == lm.width
    assert Stops(lm, ["é"]).completes.sum() > 64


def test_earliest_stop_string_cuts(make_lm):
    stops = Stops(make_lm("llama"), ["stop", "\n"])
    assert stops.cut("a stop b\nc") == "a "
    assert stops.cut("a\nstop") == "a"
    assert stops.cut("nothing") == "nothing"
    assert stops.find("nothing") == -1
