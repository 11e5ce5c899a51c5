"""Photos of houses that never stood: drawn from a seed, each one different, the same bytes every time."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw

from .draws import PICTURE, Draw

SIZES = {"ThumbnailPhoto": (128, 96), "Photo": (320, 240), "LargePhoto": (512, 384)}
_QUALITY = {"ThumbnailPhoto": 70, "Photo": 75, "LargePhoto": 79}
_SKIES = ((120, 170, 230), (200, 205, 215), (250, 180, 120), (60, 80, 130), (160, 200, 240))
_WALLS = ((200, 90, 70), (240, 235, 220), (180, 190, 170), (110, 130, 160), (225, 200, 120), (140, 90, 60))
_ROOFS = ((70, 60, 60), (120, 50, 40), (60, 80, 70), (90, 90, 100))
_LAWNS = ((80, 140, 60), (120, 150, 70), (235, 238, 245), (150, 130, 80))
Colour = tuple[int, int, int]


def picture(size: str, kind: str, *identity: int) -> bytes:
    """A JPEG of ``size`` (see SIZES): a ``house``, ``face`` or ``logo``; ``identity`` tells them apart."""
    draw = Draw(PICTURE, *identity)
    width, height = SIZES[size]
    image = Image.new("RGB", (width, height), _shade(draw.pick(_SKIES), draw.between(-20, 20)))
    pen = ImageDraw.Draw(image)
    _sky(pen, draw, width, height)
    {"house": _house, "face": _face, "logo": _logo}[kind](pen, draw, width, height)
    image = _grain(image, draw, width, height)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY[size])
    return out.getvalue()


def _shade(colour: Colour, by: int) -> Colour:
    red, green, blue = (max(0, min(255, part + by)) for part in colour)
    return red, green, blue


def _sky(pen: ImageDraw.ImageDraw, draw: Draw, width: int, height: int) -> None:
    sky = _shade(draw.pick(_SKIES), draw.between(-25, 25))
    for band in range(8):
        top = band * height // 12
        pen.rectangle((0, top, width, top + height // 12), fill=_shade(sky, band * 6))
    x, y, r = draw.between(0, width), draw.between(0, height // 3), draw.between(height // 20, height // 9)
    pen.ellipse((x - r, y - r, x + r, y + r), fill=(255, 244, draw.between(120, 240)))
    for _ in range(draw.between(0, 5)):
        x, y, w = draw.between(0, width), draw.between(0, height // 3), draw.between(width // 12, width // 4)
        pen.ellipse((x, y, x + w, y + w // 3), fill=_shade((235, 238, 242), draw.between(-20, 13)))


def _house(pen: ImageDraw.ImageDraw, draw: Draw, width: int, height: int) -> None:
    ground = int(height * draw.uniform(0.66, 0.8))
    pen.rectangle((0, ground - height // 12, width, height), fill=_shade(draw.pick(_LAWNS), draw.between(-15, 15)))
    for _ in range(draw.between(0, 5)):
        _tree(pen, draw, draw.between(0, width), ground, height)
    storeys, columns = draw.between(1, 3), draw.between(2, 5)
    left, wide = int(width * draw.uniform(0.08, 0.3)), int(width * draw.uniform(0.4, 0.6))
    storey = int(height * draw.uniform(0.13, 0.17))
    top = ground - storeys * storey
    wall, trim = _shade(draw.pick(_WALLS), draw.between(-25, 25)), draw.between(-60, 60)
    pen.rectangle((left, top, left + wide, ground), fill=wall, outline=_shade(wall, -60))
    for y in range(top, ground, max(4, height // 60)):
        pen.line((left, y, left + wide, y), fill=_shade(wall, -18))
    roof = _shade(draw.pick(_ROOFS), draw.between(-20, 30))
    peak, eave = top - int(height * draw.uniform(0.08, 0.2)), width // 40
    ridge = int(wide * draw.uniform(0, 0.4))
    slope = (wide - ridge) // 2
    corners = ((left - eave, top), (left + slope, peak), (left + slope + ridge, peak), (left + wide + eave, top))
    pen.polygon(corners, fill=roof)
    cell = wide // columns
    lit = draw.chance(0.3)
    door = draw.between(0, columns - 1)
    for row in range(storeys):
        for column in range(columns):
            x, y = left + column * cell + cell // 4, top + row * storey + storey // 4
            if row == storeys - 1 and column == door:
                pen.rectangle((x, y, x + cell // 3, ground), fill=_shade(wall, trim), outline=(40, 40, 40))
            elif draw.chance(0.9):
                pane = (255, 230, 140) if lit and draw.chance(0.5) else _shade((110, 140, 170), draw.between(-30, 30))
                pen.rectangle((x, y, x + cell // 2, y + storey // 2), fill=pane, outline=_shade(wall, trim))
                pen.line((x + cell // 4, y, x + cell // 4, y + storey // 2), fill=_shade(wall, trim))
    path, flare = left + door * cell + cell // 3, width // 9
    corners = ((path - 6, ground), (path + 6, ground), (path + flare, height), (path - flare, height))
    pen.polygon(corners, fill=(170, 165, 160))


def _tree(pen: ImageDraw.ImageDraw, draw: Draw, x: int, ground: int, height: int) -> None:
    tall = int(height * draw.uniform(0.2, 0.45))
    pen.rectangle((x - 3, ground - tall // 2, x + 3, ground), fill=(90, 65, 45))
    green = _shade((60, 120, 60), draw.between(-30, 40))
    if draw.chance(0.5):
        low, half = ground - tall // 3, tall // 4
        pen.polygon(((x - half, low), (x, ground - tall), (x + half, low)), fill=green)
    else:
        pen.ellipse((x - tall // 3, ground - tall, x + tall // 3, ground - tall // 3), fill=green)


def _face(pen: ImageDraw.ImageDraw, draw: Draw, width: int, height: int) -> None:
    skin = _shade((205, 160, 125), draw.between(-90, 40))
    coat = _shade(draw.pick(_WALLS), draw.between(-60, 20))
    hair = _shade((90, 65, 45), draw.between(-60, 120))
    x, wide = width // 2, width // 6
    pen.ellipse((x - 2 * wide, int(height * 0.72), x + 2 * wide, int(height * 1.4)), fill=coat)
    pen.ellipse((x - wide - 4, int(height * 0.16), x + wide + 4, int(height * 0.6)), fill=hair)
    pen.ellipse((x - wide, int(height * 0.22), x + wide, int(height * 0.76)), fill=skin)
    for side in (-1, 1):
        eye = x + side * wide // 2
        pen.ellipse((eye - wide // 8, int(height * 0.42), eye + wide // 8, int(height * 0.47)), fill=(40, 40, 60))
    pen.arc((x - wide // 2, int(height * 0.5), x + wide // 2, int(height * 0.66)), 20, 160, fill=(120, 40, 40), width=2)


def _logo(pen: ImageDraw.ImageDraw, draw: Draw, width: int, height: int) -> None:
    pen.rectangle((0, 0, width, height), fill=_shade(draw.pick(_WALLS), draw.between(-20, 20)))
    for _ in range(draw.between(2, 6)):
        x, y = draw.between(0, width // 2), draw.between(0, height // 2)
        box = (x, y, x + draw.between(8, width // 2), y + draw.between(8, height // 2))
        shape = pen.ellipse if draw.chance(0.5) else pen.rectangle
        shape(box, fill=_shade(draw.pick(_ROOFS), draw.between(-20, 90)))


@lru_cache(maxsize=1)
def _film() -> Image.Image:
    noise = Image.frombytes("L", (1024, 1024), bytes(byte % 40 for byte in Draw(PICTURE).randbytes(1024 * 1024)))
    return Image.merge("RGB", (noise, ImageChops.offset(noise, 311, 97), ImageChops.offset(noise, 53, 701)))


def _grain(image: Image.Image, draw: Draw, width: int, height: int) -> Image.Image:
    """Film grain, another piece of film for each picture: photos compress worse than drawings."""
    x, y = draw.between(0, 1024 - width), draw.between(0, 1024 - height)
    return ImageChops.add(image, _film().crop((x, y, x + width, y + height)), scale=1, offset=-20)
