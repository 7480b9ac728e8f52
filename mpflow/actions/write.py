"""write: open a file, write a text as it is, close the file."""

from mpflow.kinds import Action, Argument


def _write(process: object, text: str, file: str, mode: str) -> None:
    with open(file, mode, encoding="utf-8") as stream:
        stream.write(text)


ACTION = Action(
    verb="write",
    summary="Write a text to a file: one open, one write, one close.",
    arguments=(
        Argument("text", "line", "what to write; no end of line is added", required=True),
        Argument("file", "text", "the file, from the working directory", required=True),
        Argument(
            "mode", "text", "as open() has it", default="a", choices=("a", "w", "x", "a+", "w+")
        ),
    ),
    real=_write,
    shows="text",
    model=lambda me, text, file, mode: me.write(text, file, mode),
    names="file",
    code=True,
)
