"""Models that return their input, one of each kind that a replica runs in its own way."""


def echo(input: str) -> str:
    return input


async def echo_async(input: str) -> str:
    return input
