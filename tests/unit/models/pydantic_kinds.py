"""Types of pydantic, and types with constraints, that models take."""

import dataclasses
import datetime as dt
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import annotated_types as at
import msgspec
import pydantic
import typing_extensions
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, alias_generators
from pydantic.dataclasses import dataclass as pydantic_dataclass

T = TypeVar("T")


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=0, le=9)] = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


@pydantic_dataclass
class Odd:
    n: Annotated[int, Field(ge=0)] = 5

    @pydantic.field_validator("n")
    @classmethod
    def odd(cls, n: int) -> int:
        if n % 2 == 0:
            raise ValueError("must be odd")
        return n


@dataclasses.dataclass
class Basket:
    odd: Odd
    count: Annotated[int, Field(ge=1)] = 1
    more: "list[Basket]" = dataclasses.field(default_factory=list["Basket"])


class Renamed(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    text: str = Field(validation_alias=AliasChoices("t", "txt"))


class RenamedStrictly(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = Field(validation_alias=AliasChoices("t", AliasPath("deep", "texts", 0)))
    size: int = Field(default=1, alias="s")


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=alias_generators.to_camel, validate_by_name=True, extra="forbid")
    first_name: str
    last_name: str = ""


class Shade(Enum):
    DARK = "dark"
    LIGHT = "light"


class Rank(IntEnum):
    LOW = 1
    HIGH = 2


class Scalars(BaseModel):
    i: int = 0
    f: float = 0
    b: bool = False
    s: str = ""
    d: dt.date | None = None
    t: dt.time | None = None
    at: dt.datetime | None = None
    span: dt.timedelta | None = None
    money: Decimal = Decimal(0)
    u: UUID | None = None
    raw: bytes = b""
    shade: Shade = Shade.DARK
    rank: Rank = Rank.LOW
    choice: Literal["a", 1, True] = "a"


class Coerced(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True, str_strip_whitespace=True, str_max_length=3)
    s: Annotated[str, Field(max_length=2)]
    names: dict[str, Annotated[str, Field(pattern="^a+$")]] = {}


class StrictOne(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    i: int
    at: dt.datetime | None = None


class Before(BaseModel):
    i: int

    @pydantic.model_validator(mode="before")
    @classmethod
    def from_number(cls, value: object) -> object:
        return {"i": value} if isinstance(value, int) else value


class Split(BaseModel):
    items: list[int]

    @pydantic.field_validator("items", mode="before")
    @classmethod
    def split(cls, value: object) -> object:
        return value.split(",") if isinstance(value, str) else value


class Numbers(pydantic.RootModel[list[int]]):
    pass


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    i: pydantic.StrictInt


class Node(BaseModel):
    value: int
    next: "Node | None" = None


class Boxed(BaseModel, Generic[T]):
    input: T


class Secret(BaseModel):
    password: pydantic.SecretStr = Field(min_length=2)
    url: pydantic.AnyUrl | None = None
    json_value: pydantic.Json[list[int]] | None = None

    @pydantic.computed_field
    @property
    def length(self) -> int:
        return len(self.password)


class Shape(typing_extensions.TypedDict, total=False):
    sides: typing_extensions.Required[Annotated[int, Field(ge=3)]]
    name: pydantic.StrictStr


class Spot(NamedTuple):
    x: Annotated[int, Field(ge=0)]
    y: pydantic.StrictInt = 0


Text = Annotated[str, pydantic.StringConstraints(strip_whitespace=True, min_length=1, max_length=2, pattern="^[a-c]+$")]
Code = Annotated[str, pydantic.StringConstraints(min_length=1, max_length=3, pattern="^[a-c1]+$")]


def same(value: object) -> object:
    return value


def lower(text: str) -> str:
    if text != text.lower():
        raise ValueError("must be in lower case")
    return text


Read = pydantic.AfterValidator(same)  # what bears it is read by pydantic

PYDANTIC_KINDS: list[Any] = [
    *(Cat, Pet, Cat | Dog, Cat | str, list[Cat | Dog], dict[str, Cat], Cat | None, Odd, Basket, Renamed),
    *(RenamedStrictly, Camel, Scalars, Coerced, StrictOne, Before, Split, Numbers, Open, Node, Boxed[int], Secret),
    *(Boxed[list[Cat]], Annotated[Shape, Read], Text, Code, pydantic.StrictInt, pydantic.StrictFloat),
    *(pydantic.Json[int], pydantic.JsonValue, pydantic.conint(strict=False, ge=0, multiple_of=2), pydantic.StrictBool),
    *(Annotated[int, pydantic.AfterValidator(abs)], Annotated[int, pydantic.BeforeValidator(str)]),
    *(Annotated[set[int], Field(min_length=2, max_length=2), Read], Annotated[list[int], Field(max_length=1), Read]),
    *(Annotated[tuple[int, str], Read], Annotated[tuple[int, ...], Field(min_length=1), Read], Annotated[Spot, Read]),
    *(Annotated[dict[int, float], Field(min_length=1), Read], Annotated[float, Field(gt=0, lt=2), Read]),
    *(Annotated[Decimal, Field(ge=1, max_digits=3)], Annotated[list[pydantic.PositiveInt], Read]),
    *(pydantic.PastDate, pydantic.AwareDatetime, pydantic.IPvAnyAddress, pydantic.Base64Bytes, pydantic.ByteSize),
    *(Annotated[Rank | None, Read], Annotated[Literal[1, "1", None], Read], Annotated[int, at.Predicate(bool)]),
    *(Annotated[frozenset[str], Read], Annotated[dt.date | int, Read], Annotated[UUID | bool, Read]),
]


class Made(BaseModel):
    n: int

    def __init__(self, size: int) -> None:
        super().__init__(n=size)


class Python(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")
    s: str = Field(pattern="^a$")


class Lenient(Enum):
    ONE = "one"

    @classmethod
    def _missing_(cls, value: object) -> "Lenient":
        return cls.ONE


@pydantic_dataclass
class Settled:
    n: int
    fixed: int = Field(init=False, default=1)


class Deep(BaseModel):
    text: str = Field(validation_alias=AliasPath("deep", 0))


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Numbers | Odd


def tag_of(value: Any) -> str:
    return "text" if isinstance(value, str) else "number"


Tagged = Annotated[
    Annotated[str, pydantic.Tag("text")] | Annotated[int, pydantic.Tag("number")], pydantic.Discriminator(tag_of)
]


class Struct(msgspec.Struct):
    cat: Renamed | None = None
    n: Annotated[int, at.Ge(0)] = 0
