"""repeat: a block so many times, or for ever."""

from collections.abc import Mapping, Sequence

from mpflow.kinds import Action, Argument, Structure


def _opening(arguments: Mapping[str, str], index: int) -> Sequence[str]:
    counter = arguments["as"]
    target = f"turn_{index}" if counter == "None" else counter
    return (f"for {target} in times({arguments['times']}):",)


ACTION = Action(
    verb="repeat",
    summary="Do a block several times.",
    arguments=(
        Argument("times", "times", "how often: a number or `forever`", required=True),
        Argument("as", "variable", "the variable that counts, from 0"),
        Argument("do", "block", "what to repeat", required=True),
    ),
    structure=Structure(opening=_opening, loop=True),
)
