import numpy as np

from replication.lm.paths import COLUMNS, VALUES, Paths, frame


def test_rows_are_filled_copied_and_read():
    paths = Paths(4, 3)
    paths.write(np.array([0, 2]), np.array([5, 6]), np.arange(8, dtype=np.float32).reshape(4, 2))
    paths.copy(np.array([2, 2]), np.array([2, 3]))
    paths.write(np.array([3]), np.array([9]), np.full((4, 1), 0.5, dtype=np.float32))
    paths.finish[3] = "eos"
    assert paths.length.tolist() == [1, 0, 1, 2]
    record = paths.record(3)
    assert record["tokens"].tolist() == [6, 9]
    assert record["tokens"].dtype == np.int32
    assert [record[name].tolist() for name in VALUES] == [[1, 0.5], [3, 0.5], [5, 0.5], [7, 0.5]]
    assert record["finish"] == "eos"
    paths.write(np.array([2]), np.array([8]), np.zeros((4, 1), dtype=np.float32))
    assert record["tokens"].tolist() == [6, 9]


def test_table_has_fixed_columns_and_kinds():
    arrays = {name: np.zeros(2, dtype=np.float32) for name in VALUES}
    record = {
        "question": "a",
        "branch": 0,
        "tokens": np.zeros(2, dtype=np.int32),
        "text": "",
        "finish": "eos",
    }
    for records in ([], [record | arrays | {"prompt_tokens": 1, "branch_step": 0}] * 3):
        table = frame(records)
        assert list(table.columns) == list(COLUMNS)
        assert len(table) == len(records)
        assert table.branch.dtype == "int64"
        assert table.text.dtype == "str"
        assert table.tokens.dtype == object
