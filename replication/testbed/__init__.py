"""The generated world: problems with an oracle, a corpus in several styles, a tokenizer and small models."""
