import pytest

from replication.lm import specification
from replication.lm.specification import Specification, specify
from replication.settings import InputError

PLAIN = "0123456789abcdef"


def test_a_name_alone_asks_for_nothing():
    assert specify("org/name@v1") == Specification("org/name@v1")
    assert specify("testbed?") == Specification("testbed")
    assert specify("org/name").fingerprint(PLAIN) == PLAIN


def test_options_behind_the_question_mark():
    asked = specify("org/name@v1?dtype=float16&device_map=auto&chat=true")
    assert asked == Specification("org/name@v1", dtype="float16", device_map="auto", chat=True)
    assert not asked.quantised
    assert specify("m?chat=false") == Specification("m")


def test_a_folder_that_is_there_is_taken_whole(tmp_path):
    folder = tmp_path / "what?chat=true"
    folder.mkdir()
    assert specify(str(folder)).name == str(folder)
    assert specify(f"{folder}?dtype=float16") == Specification(str(folder), dtype="float16")


def test_the_fingerprint_changes_with_what_changes_numbers():
    texts = ("m?dtype=float16", "m?dtype=bfloat16", "m?chat=true", "m?dtype=float16&chat=true")
    found = {specify(text).fingerprint(PLAIN) for text in texts}
    assert len(found | {PLAIN}) == 5
    assert all(len(one) == 16 for one in found)
    assert specify("m?device_map=auto&dtype=auto&chat=false").fingerprint(PLAIN) == PLAIN
    bits = {Specification("m", load_in_4bit=True), Specification("m", load_in_8bit=True)}
    assert len({one.fingerprint(PLAIN) for one in bits} | {PLAIN}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m?speed=high", r"Unknown option 'speed=high'.*dtype, device_map, chat, load_in_8bit, load_in_4bit"),
        ("m?chat", "Unknown option 'chat'.*option=value"),
        ("m?name=other", "Unknown option 'name=other'"),
        ("m?chat=true&chat=false", "repeated option 'chat=false'"),
        ("m?chat=yes", "chat.*needs true or false, got 'yes'"),
        ("m?dtype=float8", "dtype.*float16 or bfloat16, got 'float8'"),
        ("m?device_map=gpu", "device_map.*balanced_low_0 or sequential, got 'gpu'"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(text, message):
    with pytest.raises(InputError, match=message):
        specify(text)


def test_both_quantisations_and_missing_libraries(monkeypatch):
    with pytest.raises(InputError, match="8 and for 4 bits"):
        specify("m?load_in_8bit=true&load_in_4bit=true")
    monkeypatch.setattr(specification.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"load_in_4bit.*bitsandbytes, which is not installed.*pip install"):
        specify("m?load_in_4bit=true")
    with pytest.raises(InputError, match="accelerate, which is not installed"):
        specify("m?device_map=auto")
    assert specify("m?load_in_4bit=false") == Specification("m")
