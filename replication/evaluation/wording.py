"""What an estimate says, in words: for titles that state a finding and change with the data."""

from replication.evaluation.claims import Estimate, plain

UNKNOWN = "not measured"


def versus(
    first: str,
    second: str,
    gap: Estimate,
    where: str = "",
    *,
    unit: str = "points",
    scale: float = 100.0,
    decimals: int = 0,
) -> str:
    """Return which of two is ahead and by how much, or that the interval of their difference holds 0.

    Args:
        first: name of the one that is subtracted from.
        second: name of the other.
        gap: first minus second.
        where: what follows, such as "at T = 3".
        unit: of the difference once it is scaled; "" for none.
        scale: multiplies the difference: 100 turns fractions into points.
        decimals: of the difference.
    """
    end = f" {where}" if where else ""
    if not gap.usable:
        return f"{first} against {second}{end}: {UNKNOWN}"
    if gap.low <= 0 <= gap.high:
        return f"{first} and {second} cannot be told apart{end}"
    side, amount = ("above", gap.value) if gap.low > 0 else ("below", -gap.value)
    size = " ".join(part for part in (plain(scale * amount, decimals), unit) if part)
    return f"{first} is {size} {side} {second}{end}"
