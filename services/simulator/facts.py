"""The single values of a listing: those drawn from a lookup or range, and those that hang together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .draws import Draw, mix
from .making import Maker, key_of
from .people import address
from .schema import BORN, FEATURES, PRICE, REMARKS, Element
from .values import Value, measure, spread
from .vocabulary import CITIES, LOOKUPS, SENTENCES, TEXTS

DESTINATION = "5012345"
_UNITS = {"SizeFrontage": 3, "SizeDepth": 3, "SizeExterior": 0, "SizeInteriorFinished": 0, "TotalFinishedArea": 0}
_ACRES = 2


def drawn(maker: Maker, draw: Draw, element: Element) -> Value:
    """A value for an element, from the source its line names."""
    source = element.source
    if ".." in source:
        low, _, high = source.partition("..")
        amount = draw.between(int(low), int(high))
        if element.kind != "measure":
            return amount
        unit = maker.words("MeasureUnit")[_UNITS.get(element.leaf, _ACRES)]
        return measure(f"{amount}.5" if draw.chance(0.2) else str(amount), unit)
    if element.kind == "list":
        # One kind of building and one of waterfront, although their columns are lists.
        return draw.some(maker.words(source), 1 if source in {"BuildingType", "WaterFrontType"} else 4)
    if source in LOOKUPS:
        return draw.pick(maker.words(source))
    if element.kind == "url":
        version = maker.versions[FEATURES]
        return f"https://tour.example/{maker.number}?kind={element.leaf}&lang={maker.language}&version={version}"
    if element.kind == "bool":
        return draw.chance(0.5)
    text = draw.pick(TEXTS[source])
    if element.kind == "measure":
        number, _, unit = text.partition(" ")
        return measure(number, unit)
    return text


def computed(maker: Maker, groups: set[str], kind: int) -> dict[str, Value]:
    """The elements that hang together: address and map, price and transaction, bedrooms, sizes, remarks.

    ``kind`` is the place of its property type in the lookup, ``groups`` what it belongs to.
    """
    number, base = maker.number, maker.draw(BORN)
    key = key_of(number)
    above, below = base.between(0, 4), base.between(0, 2)
    size = base.between(6, 50) * 100
    words = maker.words
    place = {f"Address/{name}": value for name, value in address(base).items()}
    _, _, latitude, longitude, _, board = next(city for city in CITIES if city[0] == place["Address/City"])
    values: dict[str, Value] = {
        "ListingID": f"{base.pick('XWCE')}{1_000_000 + mix(maker.seed, number) % 8_000_000}",
        "Board": board,
        "Building/BedroomsTotal": above + below,
        "Building/BedroomsAboveGround": above,
        "Building/BedroomsBelowGround": below,
        "Building/FireplacePresent": base.chance(0.4),
        "Building/SizeInterior": spread(size, size + 400, words("MeasureUnit")[0])
        if base.chance(0.4)
        else measure(str(size + 7), words("MeasureUnit")[0]),
        "Building/StoriesTotal": Decimal(base.pick(("1", "1.5", "2", "2.5", "3", "28"))),
        **place,
        "PropertyType": words("PropertyType")[kind],
        "TransactionType": words("TransactionType")[base.pick((1, 2)) if "lease" in groups else 0],
        "AnalyticsClick": _script(key, "Click"),
        "AnalyticsView": _script(key, "View"),
        "MoreInformationLink": f"https://www.realtor.ca/PropertyDetails.aspx?PropertyId={key}",
        "MaintenanceFee": Decimal(base.between(10_000, 150_000)) / 100,
    }
    if base.chance(0.7):
        values["Address/Longitude"] = Decimal(f"{longitude + base.uniform(-0.2, 0.2):.{base.pick((5, 6, 7))}f}")
        values["Address/Latitude"] = Decimal(f"{latitude + base.uniform(-0.2, 0.2):.{base.pick((5, 6, 7))}f}")
    if base.chance(0.4):
        text = f"{base.between(1, 200) / 4:.2f}"
        values["Land/SizeTotal"] = measure(text, words("MeasureUnit")[base.pick((2, 5))])
    if base.chance(0.8):
        values["ListingContractDate"] = datetime.fromtimestamp(maker.born, UTC).date() - timedelta(base.between(0, 60))
    values |= _price(maker, base, groups)
    remarks = _remarks(maker)
    if remarks:
        values["PublicRemarks"] = remarks
    return values


def _price(maker: Maker, base: Draw, groups: set[str]) -> dict[str, Value]:
    if "lease" in groups:
        return {"Lease": Decimal(base.between(80, 600) * 10 + 25 * maker.versions[PRICE]).quantize(Decimal("0.01"))}
    asked = base.between(100, 3000) * 1000 + 900
    for version in range(maker.versions[PRICE]):
        asked += 1000 * (1 + mix(maker.seed, maker.number, version) % 9) * (1 if version % 3 == 2 else -1)
    return {"Price": Decimal(max(asked, 1000 + maker.versions[PRICE])).quantize(Decimal("0.01"))}


def _remarks(maker: Maker) -> str:
    draw = maker.draw(REMARKS)
    if draw.chance(0.02):
        return ""
    sentences = draw.sample(SENTENCES, draw.between(2, 9))
    paragraphs = "\n\n" if draw.chance(0.1) else " "
    return paragraphs.join(sentence[maker.language] for sentence in sentences)


def _script(key: str, event: str) -> str:
    return (
        f'<![CDATA[<script type="text/javascript">logEvent("{key}", "{DESTINATION}", "{event}", '
        f'location.search < 1 && "?&amp;x");</script>]]>'
    )
