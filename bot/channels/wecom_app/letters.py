"""The XML of a callback: read without entities or DTD, into plain texts."""

from collections.abc import Mapping
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

MOST_BYTES = 1024 * 1024
MOST_FIELDS = 200


def fields_of(xml: bytes) -> Mapping[str, str]:
    """The texts of the elements under the root, nested ones as `Outer.Inner`; ValueError for what is no such XML."""
    if len(xml) > MOST_BYTES:
        raise ValueError("too large")
    try:
        root = fromstring(xml.decode(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"no callback's XML: {type(error).__name__}") from None
    if sum(1 for _ in root.iter()) > MOST_FIELDS:
        raise ValueError("too many fields")
    found: dict[str, str] = {}
    for element in root:
        found[element.tag] = element.text or ""
        found |= {f"{element.tag}.{inner.tag}": inner.text or "" for inner in element}
    return found
