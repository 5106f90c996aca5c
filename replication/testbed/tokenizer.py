"""Byte-level BPE tokenizer of the testbed: digits one by one, any UTF-8 text encodable."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VOCABULARY = 2048
PAD, BOS, EOS = "<pad>", "<s>", "</s>"


def train(texts: Iterable[str], size: int = VOCABULARY) -> "PreTrainedTokenizerFast":
    """Train a byte-level BPE tokenizer on `texts`.

    Args:
        texts: the training texts.
        size: entries, the 256 bytes and three special tokens included.

    Returns:
        A tokenizer that puts `<s>` in front of every text, pads on the left, and gives every digit a token of
        its own.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[PAD, BOS, EOS], initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(texts, trainer)
    core.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A $B", special_tokens=[(BOS, core.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=512,
    )


def load(folder: Path) -> "PreTrainedTokenizerFast":
    """Return the tokenizer saved in `folder`, set to pad only where a call asks for it.

    A padded call leaves its setting in the tokenizer, a save keeps it in the file, and whoever encodes a
    batch with the file's tokenizer gets padded texts without having asked.
    """
    from transformers import AutoTokenizer

    core = AutoTokenizer.from_pretrained(folder)
    core.backend_tokenizer.no_padding()
    return core
