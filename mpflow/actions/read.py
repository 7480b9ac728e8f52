"""read: the text of a file."""

from mpflow.kinds import INTO, Action, Argument


def _read(process: object, file: str) -> str:
    with open(file, encoding="utf-8") as stream:
        return stream.read()


ACTION = Action(
    verb="read",
    summary="Read a whole file as text.",
    arguments=(
        Argument("file", "text", "the file, from the working directory", required=True),
        INTO,
    ),
    real=_read,
    model=lambda me, file: me.read(file),
    names="file",
    code=True,
)
