"""Makes a thumbnail of an image: bytes in, bytes out."""

import io

import PIL.Image

import zypher


class Thumbnail:
    """A PNG of the image (PNG, JPEG, WebP, …), no larger than `width` by `width` pixels."""

    concurrency = 4

    def predict(self, image: bytes, width: int = 64) -> bytes:
        if not 1 <= width <= 4_096:
            raise zypher.InvalidInput("$.input.width must be from 1 to 4096.")
        try:
            picture = PIL.Image.open(io.BytesIO(image))
            picture.thumbnail((width, width))
        except (OSError, PIL.Image.DecompressionBombError) as error:
            raise zypher.InvalidInput(f"$.input.image is no image that can be read: {error}.") from None
        made = io.BytesIO()
        picture.save(made, "png")
        return made.getvalue()
