"""Types that models take and give, for the tests of this folder."""

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Annotated, Literal, NamedTuple, NotRequired, TypedDict

import msgspec
import pydantic

from zypher.models.model import LoadedModel
from zypher.models.user_model import user_model_of


def taking(kind: object) -> LoadedModel:
    """A model that returns its input, of this type."""

    def predict(thing: object) -> object:
        return thing

    predict.__annotations__["thing"] = kind
    return LoadedModel(user_model_of(predict, "predict"))


def giving(kind: object) -> LoadedModel:
    """A model whose output is of this type."""

    def predict(thing: object) -> object:
        return thing

    predict.__annotations__["return"] = kind
    return LoadedModel(user_model_of(predict, "predict"))


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Box(TypedDict):
    width: int
    label: NotRequired[str]


class Pair(NamedTuple):
    left: int
    right: str = ""


@dataclass
class Person:
    name: str
    age: int | None = None
    friends: "list[Person]" = field(default_factory=list["Person"])


class Cat(msgspec.Struct, tag=True):
    lives: Annotated[int, msgspec.Meta(ge=0, le=9)]


class Dog(msgspec.Struct, tag=True, forbid_unknown_fields=True):
    tricks: list[str]


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    size: int


class Address(pydantic.BaseModel):
    street: str
    number: int = pydantic.Field(ge=1)


class Customer(pydantic.BaseModel):
    """Whoever buys."""

    name: str
    addresses: list[Address] = []
    kind: Literal["person", "company"] = "person"


class Priced(pydantic.BaseModel):
    net: float

    @pydantic.computed_field
    @property
    def gross(self) -> float:
        return self.net * 1.25


@dataclass
class Order:
    customer: Customer
    amounts: dict[str, int]
