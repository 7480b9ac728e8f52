"""What object.yaml sends: an object with a method, made in one process and used in another."""

import multiprocessing
from dataclasses import dataclass


@dataclass
class Parcel:
    """Something with a name, which says where it is."""

    name: str

    def open(self) -> str:
        process = multiprocessing.current_process().name
        return f"Doing something fancy for {self.name} in {process}!"


def pack(name: str) -> Parcel:
    return Parcel(name)


def unpack(parcel: Parcel) -> str:
    return parcel.open()
