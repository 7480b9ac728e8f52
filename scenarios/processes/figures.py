"""What the pools of pool_*.yaml are given to work out."""

import time


def square(number: int) -> int:
    return number * number


def power(base: int, exponent: int) -> int:
    result = 1
    for _ in range(exponent):
        result *= base
    return result


def early_last(number: int) -> int:
    """The number itself; the smaller it is, the longer it takes."""
    time.sleep(0.03 * (4 - number))
    return number


def inverse(number: int) -> float:
    return 1.0 / (number - 5)
