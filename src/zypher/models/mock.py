"""The built-in default model: sleeps, and answers with a random number."""

import random
import time
from typing import Dict


def mock_model_predict(input: str) -> Dict[str, str]:
    """Stand in for a slow model: take 10 to 17 seconds and answer with a random number."""
    time.sleep(random.randint(10, 17))  # Simulate processing delay
    result = str(random.randint(1000, 20000))
    output = {"input": input, "result": result}
    return output


vars(mock_model_predict)["concurrency"] = 1_000  # an attribute that no type checker expects of a function
