"""Why a connection ends: what a client can send that can neither be served nor skipped."""

from zypher.http.answer import Answer, error_answer

MAX_HEAD_BYTES = 65_536
HEADER_BYTES = 32  # what a header counts besides its name and value, as in HTTP/2 (RFC 9113 section 6.5.2)
MAX_TARGET_BYTES = 8_192

NOT_HTTP = error_answer(400, "This is not a valid HTTP/1.1 request; correct it and send it again.")
TOO_SLOW = error_answer(408, "The request was not whole in time; send it again, all of it at once.")
TARGET_TOO_LONG = error_answer(414, f"The URL is longer than {MAX_TARGET_BYTES} bytes; shorten it.")
HEAD_TOO_LARGE = error_answer(
    431,
    f"The headers are larger than {MAX_HEAD_BYTES} bytes, {HEADER_BYTES} added for each; send fewer or shorter ones.",
)
NOT_OUR_VERSION = error_answer(505, "HTTP/1.1 and HTTP/1.0 are served, and no other version; use one of them.")


class Refusal(Exception):
    """The client sent what can neither be served nor skipped."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer
