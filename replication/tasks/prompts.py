r"""Prompt styles: plain question, zero-shot and few-shot chain of thought.

The plain style is "Q: {question}\nA:" without a trailing space (Wang and Zhou 2024, arXiv 2402.10200,
appendix D). The zero-shot phrase is that of Kojima et al. (2022, arXiv 2205.11916). The few-shot examples are
written for this package in the format of Wei et al. (2022, arXiv 2201.11903); they are not the published
ones.
"""

from replication.settings import InputError

STYLES = ("direct", "zero_shot_cot", "few_shot_cot")
STEP_BY_STEP = "Let's think step by step."
STOP = ("\nQ:",)
"""Where a base model starts a question of its own; the response ends before it."""

Examples = tuple[tuple[str, str], ...]

WORD_PROBLEMS: Examples = (
    (
        "A shelf holds 7 books. Dana puts 5 more on it and later lends 3 of them to a friend. "
        "How many books are on the shelf?",
        "The shelf starts with 7 books. After 5 more there are 7 + 5 = 12 books. "
        "Dana lends 3, so 12 - 3 = 9 books are left. The answer is 9.",
    ),
    (
        "A bakery packs 6 rolls in every bag. It fills 8 bags and keeps 4 rolls for the staff. "
        "How many rolls did it bake?",
        "8 bags of 6 rolls are 8 * 6 = 48 rolls. With the 4 rolls for the staff that is 48 + 4 = 52. "
        "The answer is 52.",
    ),
    (
        "Priya has $40. She buys 3 notebooks for $6 each and a pen for $2. How much money has she left?",
        "The notebooks cost 3 * 6 = 18 dollars. With the pen she pays 18 + 2 = 20 dollars. "
        "She has 40 - 20 = 20 dollars left. The answer is 20.",
    ),
    (
        "A bus with 36 seats is one third empty. Then 5 people get off. How many people are on the bus?",
        "One third of 36 seats is 36 / 3 = 12 empty seats, so 36 - 12 = 24 people are on the bus. "
        "After 5 get off there are 24 - 5 = 19. The answer is 19.",
    ),
    (
        "Ken runs 4 miles every weekday and 7 miles on Saturday. How many miles does he run in 2 weeks?",
        "In one week he runs 5 * 4 = 20 miles on weekdays and 7 on Saturday, 20 + 7 = 27 miles. "
        "In 2 weeks that is 2 * 27 = 54 miles. The answer is 54.",
    ),
)
PARITY: Examples = (
    (
        "Was Marie Curie born in an even or odd year?",
        "Marie Curie was born in 1867. 1867 ends in 7, which is odd. The answer is odd.",
    ),
    (
        "Was Albert Einstein born in an even or odd year?",
        "Albert Einstein was born in 1879. 1879 ends in 9, which is odd. The answer is odd.",
    ),
    (
        "Was Alan Turing born in an even or odd year?",
        "Alan Turing was born in 1912. 1912 ends in 2, which is even. The answer is even.",
    ),
)
EXPRESSIONS: Examples = (
    ("3 + -2 * 4 =", "First -2 * 4 = -8. Then 3 + -8 = -5. The answer is -5."),
    (
        "((2 * 3 - 1) + (4 - 6 * 1)) =",
        "The first bracket is 2 * 3 - 1 = 6 - 1 = 5. The second bracket is 4 - 6 * 1 = 4 - 6 = -2. "
        "Then 5 + -2 = 3. The answer is 3.",
    ),
)
COINS: Examples = (
    (
        "A coin is heads up. Rosa flips the coin. Omar does not flip the coin. Is the coin still heads up?",
        "The coin starts heads up. Rosa flips it, so it is tails up. Omar does not flip it, so it stays so. "
        "The answer is no.",
    ),
    (
        "A coin is heads up. Jin flips the coin. Vera flips the coin. Is the coin still heads up?",
        "The coin starts heads up. Jin flips it, so it is tails up. Vera flips it, so it is heads up again. "
        "The answer is yes.",
    ),
)
LIES: Examples = (
    (
        "Ada lies. Bruno says Ada tells the truth. Does Bruno tell the truth?",
        "Ada lies. Bruno says that Ada tells the truth, which is false, so Bruno lies. The answer is no.",
    ),
    (
        "Ivy tells the truth. Noel says Ivy lies. Petra says Noel lies. Does Petra tell the truth?",
        "Ivy tells the truth. Noel says that Ivy lies, which is false, so Noel lies. "
        "Petra says that Noel lies, which is true, so Petra tells the truth. The answer is yes.",
    ),
)
COUNTING: Examples = (
    (
        "I have two apples, a chair, and three pears. How many fruits do I have?",
        "The fruits are two apples and three pears. 2 + 3 = 5. The answer is 5.",
    ),
    (
        "I have a violin, four onions, and two drums. How many musical instruments do I have?",
        "The instruments are one violin and two drums. 1 + 2 = 3. The answer is 3.",
    ),
)
MATHEMATICS: Examples = (
    (
        "What is the sum of the solutions of $x^2 - 5x + 6 = 0$?",
        r"The equation factors as $(x - 2)(x - 3) = 0$, so $x = 2$ or $x = 3$. The sum is $\boxed{5}$.",
    ),
    (
        "A fair die is rolled. What is the probability that it shows more than 4?",
        r"Of the 6 faces, 5 and 6 are more than 4. The probability is $\frac{2}{6} = \boxed{\frac{1}{3}}$.",
    ),
    (
        r"Simplify $\sqrt{50} + \sqrt{8}$.",
        r"$\sqrt{50} = 5\sqrt{2}$ and $\sqrt{8} = 2\sqrt{2}$, so the sum is $\boxed{7\sqrt{2}}$.",
    ),
)


def build(text: str, style: str, examples: Examples = (), bare: bool = False) -> str:
    """Return the prompt of a question, without a trailing space.

    Args:
        text: the question.
        style: one of `STYLES`.
        examples: (question, worked answer) pairs of the few-shot style.
        bare: the direct style is the question alone (expressions that end in "=").

    Raises:
        InputError: unknown style, or a few-shot prompt without examples.
    """
    if style == "direct":
        return text if bare else f"Q: {text}\nA:"
    if style == "zero_shot_cot":
        return f"Q: {text}\nA: {STEP_BY_STEP}"
    if style != "few_shot_cot":
        raise InputError(f"Unknown prompt style {style!r}: choose one of {', '.join(STYLES)}.")
    if not examples:
        raise InputError("This task has no worked examples for few_shot_cot: use direct or zero_shot_cot.")
    shots = "".join(f"Q: {question}\nA: {answer}\n\n" for question, answer in examples)
    return f"{shots}Q: {text}\nA:"
