"""Reads a handwritten digit: a classifier fitted at start on the digits that scikit-learn ships."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

Shade = Annotated[float, Meta(ge=0, le=16)]  # 0 is paper, 16 is ink
Pixels = Annotated[list[Shade], Meta(min_length=64, max_length=64)]  # 8 rows of 8, from the top left


@dataclass
class Reading:
    digit: int
    probability: float


class Digits:
    """The digit in an image of 8 by 8 pixels."""

    def setup(self) -> None:
        images, digits = load_digits(return_X_y=True)
        self.classifier = KNeighborsClassifier(n_neighbors=9, weights="distance").fit(images, digits)

    def predict(self, pixels: Pixels) -> Reading:
        probabilities = self.classifier.predict_proba([pixels])[0]
        digit = probabilities.argmax()
        return Reading(digit, probabilities[digit])
