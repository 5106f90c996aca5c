"""A text box in a live notebook: type a prompt, press the button, and its views appear below.

It needs a running kernel and ipywidgets. Nothing of a stored page depends on it: the views of the notebook's
own prompt stand in the cells themselves.
"""

from collections.abc import Callable, Iterable
from typing import Any

from replication.reporting.markdown import visible
from replication.settings import InputError


def prompt_box(look: Callable[[str], Iterable[object]], prompt: str = "") -> Any:
    """Return a widget of a text box, a button and what `look` returns for the text in the box.

    Args:
        look: takes a prompt and returns what is displayed, such as views; an `InputError` of it is shown as a
            sentence.
        prompt: text that stands in the box at first.

    Returns:
        An ipywidgets box; a cell that ends with it shows it.
    """
    import ipywidgets

    text = ipywidgets.Textarea(value=prompt, placeholder="Your prompt", rows=4,
                               layout=ipywidgets.Layout(width="100%"))  # fmt: skip
    button, output = ipywidgets.Button(description="Look"), ipywidgets.Output()

    def run(_: object) -> None:
        button.disabled = True
        try:
            output.outputs = tuple(_shown(look, text.value))
        finally:
            button.disabled = False

    button.on_click(run)
    return ipywidgets.VBox([text, button, output])


def _shown(look: Callable[[str], Iterable[object]], prompt: str) -> Iterable[dict[str, Any]]:
    """Return the outputs for a prompt, as notebooks keep them."""
    from IPython.core.formatters import DisplayFormatter

    try:
        found = list(look(prompt))
    except InputError as error:
        return [{"output_type": "stream", "name": "stdout", "text": f"{visible(error)}\n"}]
    formats = DisplayFormatter().format
    outputs = []
    for one in found:
        data, metadata = formats(one)
        outputs.append({"output_type": "display_data", "data": data, "metadata": metadata})
    return outputs
