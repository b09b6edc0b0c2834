"""Runs until it is stopped, in a way that its input says; touches a file when it begins."""

import asyncio
import ctypes
import time
from pathlib import Path
from typing import TypedDict


class Turn(TypedDict):
    how: str
    began: str  # the file


def begin(input: Turn) -> None:
    Path(input["began"]).touch()


def hold() -> None:
    time.sleep(600)


class Blocking:
    concurrency = 2

    def predict(self, input: Turn) -> str:
        begin(input)
        match input["how"]:
            case "spin":
                while True:
                    pass
            case "sleep":
                hold()
            case "ignore":
                while True:
                    try:
                        time.sleep(0.01)
                    except BaseException:  # that is what it is about
                        continue
            case "hold the GIL":
                ctypes.PyDLL(None).sleep(600)
            case _:
                time.sleep(float(input["how"]))
        return input["how"]


class Alone(Blocking):
    concurrency = 1


class Waiting:
    concurrency = 2

    async def predict(self, input: Turn) -> str:
        begin(input)
        match input["how"]:
            case "sleep":
                await asyncio.sleep(600)
            case "ignore":
                while True:
                    try:
                        await asyncio.sleep(0.01)
                    except BaseException:
                        continue
            case "hold the loop":
                hold()
            case _:
                await asyncio.sleep(float(input["how"]))
        return input["how"]
