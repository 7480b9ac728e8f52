"""A global, and how start_methods.yaml changes it and looks at it."""

colour = "grey"


def repaint(new: str) -> None:
    global colour
    colour = new


def look() -> str:
    return colour
