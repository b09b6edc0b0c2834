"""The parts of the OpenAPI document that are the same for every model."""

from zypher.http.preferences import LONGEST_KEY, LONGEST_WAIT_S

Json = dict[str, object]

ID = "0683vq0g6brgr1qh5n4l3k2p9s"
ID_SCHEMA: Json = {"type": "string", "pattern": "^[0-9a-v]{26}$", "examples": [ID]}
ABOUT = ("Prediction-Id", "Cache-Control")  # the headers of every answer about a prediction
OUTLOOK = ("Retry-After", "Queue-Position")  # of one that has not ended


def headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def json_content(schema: Json, **examples: object) -> Json:
    """Content of type JSON; each example is its value, under its name."""
    content: Json = {"schema": schema}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"application/json": content}


def record(**properties: Json) -> Json:
    """The schema of an object with exactly these members."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def error(description: str, *names: str, **sentences: str) -> Json:
    """A response `{"error": …}` with these headers and example sentences."""
    examples = {name: {"error": sentence} for name, sentence in sentences.items()}
    return {
        "description": description,
        "headers": headers(*names),
        "content": json_content(record(error={"type": "string"}), **examples),
    }


def _header(description: str, schema: Json) -> Json:
    return {"description": description, "schema": schema}


HEADERS: Json = {
    "Prediction-Id": _header("The id of the prediction that the answer is about.", ID_SCHEMA),
    "Location": _header("Where the prediction can be asked for.", {"type": "string", "examples": [f"/predict/{ID}"]}),
    "Retry-After": _header("Whole seconds until it is worth asking again.", {"type": "integer", "minimum": 1}),
    "Queue-Position": _header(
        "The prediction's place in the queue: 1 runs next, 0 runs already.", {"type": "integer", "minimum": 0}
    ),
    "Preference-Applied": _header("Which preferences of `Prefer` were honoured.", {"type": "string"}),
    "Cache-Control": _header("Whether the answer may be kept.", {"type": "string"}),
}

PARAMETERS: Json = {
    "Async-Mode": {
        "name": "Async-Mode",
        "in": "header",
        "description": "`true`: answer 202 at once rather than wait. In any case; also 1, 0, yes, no.",
        "schema": {"type": "string", "enum": ["true", "false", "1", "0", "yes", "no"]},
    },
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "RFC 7240. `respond-async`: as `Async-Mode: true`. `wait=N`: wait N seconds, then answer 202.",
        "schema": {"type": "string", "examples": ["respond-async, wait=10"]},
    },
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and body give the same prediction, for as long as its result is kept.",
        "schema": {"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    },
    "prediction_id": {
        "name": "prediction_id",
        "in": "path",
        "required": True,
        "description": "The id that the prediction was accepted with.",
        "schema": {"type": "string", "examples": [ID]},
    },
    "wait": {
        "name": "wait",
        "in": "query",
        "description": f"Seconds to wait for the end of the prediction, at most {LONGEST_WAIT_S}.",
        "schema": {"type": "integer", "minimum": 0, "default": 0},
    },
}

RESPONSES: Json = {
    "Accepted": {
        "description": "The prediction is accepted: it survives a crash of the service, and runs.",
        "headers": headers(*ABOUT, "Location", *OUTLOOK, "Preference-Applied"),
        "content": json_content(
            record(message={"type": "string"}, prediction_id=ID_SCHEMA),
            accepted={"message": "Request received. Processing asynchronously.", "prediction_id": ID},
        ),
        "links": {
            "result": {
                "operationId": "get_prediction",
                "parameters": {"prediction_id": "$response.body#/prediction_id"},
                "description": "Where the output will be.",
            }
        },
    },
    "BadRequest": error(
        "The request cannot be read: invalid HTTP, malformed JSON, a header with an impossible value.",
        malformed="The body is empty; send an object with exactly one field, $.input.",
    ),
    "Pending": error(
        "The prediction is queued or running; or the request cannot be read.",
        *ABOUT,
        *OUTLOOK,
        pending="Prediction is still being processed.",
        malformed="wait must be one whole number of seconds, as in ?wait=10.",
    ),
    "NotFound": error("No prediction has this id, or its retention is over.", unknown="Prediction ID not found."),
    "RequestTimeout": error("The request was not whole in time."),
    "Gone": error("The prediction was cancelled, or has expired.", *ABOUT, "Preference-Applied"),
    "TooLarge": error("The body is larger than the setting max_body_bytes."),
    "TargetTooLong": error("The URL is too long."),
    "WrongType": error("The body is not of type JSON, not in UTF-8, or compressed."),
    "Unprocessable": error(
        "The body does not have the right shape, the input does not fit the model, "
        "or the idempotency key came before with another body.",
        *ABOUT,
        "Preference-Applied",
        missing="Object missing required field `input`; send an object with exactly one field, $.input.",
    ),
    "HeadersTooLarge": error("The headers are too large."),
    "Internal": error("An error that nobody foresaw; it is in the server's log."),
    "Failed": {
        "description": "The model raised an exception, or the process that ran it was lost; or an internal error.",
        "headers": headers(*ABOUT, "Preference-Applied"),
        "content": json_content(
            {
                "type": "object",
                "properties": {"error": {"type": "string"}, "prediction_id": ID_SCHEMA},
                "required": ["error"],
                "additionalProperties": False,
            },
            failed={"error": "Prediction failed: ValueError: no such colour", "prediction_id": ID},
        ),
    },
    "NotReady": error("It would not, and why.", "Cache-Control", loading="No worker has loaded the model yet."),
    "Unavailable": error(
        "Not now: the queue is full, no replica can run the model, the server is stopping, or it cannot store.",
        "Retry-After",
    ),
}
