"""The function that the processes of arguments.yaml run."""


def greet(name: str, mark: str = "") -> None:
    print(f"hello {name}{mark}")
