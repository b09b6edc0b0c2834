"""Makes a thumbnail of an image: bytes in, bytes out."""

import io

import PIL.Image

import zypher


class Thumbnail:
    """A PNG of the image (PNG, JPEG, WebP, …), no larger than 64 by 64 pixels."""

    concurrency = 4

    def predict(self, image: bytes) -> bytes:
        try:
            picture = PIL.Image.open(io.BytesIO(image))
            picture.thumbnail((64, 64))
        except (OSError, PIL.Image.DecompressionBombError) as error:
            raise zypher.InvalidInput(f"$.input must be an image: {error}.") from None
        made = io.BytesIO()
        picture.save(made, "png")
        return made.getvalue()
