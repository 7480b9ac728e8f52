"""The tasks of work_by_name.yaml."""


def times(a: int, b: int) -> int:
    return a * b


def plus(a: int, b: int) -> int:
    return a + b
