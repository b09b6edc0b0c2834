"""One model for each way to say what an input is."""

from dataclasses import dataclass
from typing import TypedDict

import msgspec
from pydantic import BaseModel


@dataclass
class Point:
    x: int
    y: int = 1


class City(TypedDict):
    name: str
    people: int


class Box(msgspec.Struct):
    sides: list[int]


class Order(BaseModel):
    number: int
    words: list[str] = []


def of_dataclass(point: Point) -> int:
    return point.x * point.y


def of_typed_dict(city: City) -> str:
    return f"{city['name']}: {city['people']}"


def of_struct(box: Box) -> int:
    return sum(box.sides)


def of_pydantic(order: Order) -> Order:
    return Order(number=order.number + 1, words=order.words)
