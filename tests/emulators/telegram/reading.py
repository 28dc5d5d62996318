"""What came in with a call: parameters from the address, JSON, a form or multipart, and files."""

import json
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from .errors import Refused, bad
from .limits import UPLOAD
from .schema import Form, Part

ROOM_FOR_FORMS = 1024 * 1024  # bytes a multipart call may need besides its files


async def read_call(request: web.BaseRequest) -> tuple[dict[str, Any], dict[str, Part]]:
    """Parameters (form values as Form, files as Part) and all files by the name of their part."""
    params: dict[str, Any] = (
        {name: Form(value) for name, value in request.query.items()} if request.query_string else {}
    )
    files: dict[str, Part] = {}
    if request.method != "POST":
        return params, files
    kind = request.content_type
    if kind == "application/json":
        params |= read_json(await request.read())
    elif kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        if (request.content_length or 0) > UPLOAD + ROOM_FOR_FORMS:
            raise Refused(413, "Request Entity Too Large")
        for name, value in (await request.post()).items():
            take(name, value, params, files)
    drop_attached(params, files)
    return params, files


def read_json(body: bytes) -> dict[str, Any]:
    """The object of a JSON call; an empty body is no parameters."""
    if not body:
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        raise bad("can't parse JSON object") from None
    if not isinstance(found, dict):
        raise bad("JSON object expected")
    return found


def take(name: str, value: Any, params: dict[str, Any], files: dict[str, Part]) -> None:
    """Sort one field of a form into parameters and files."""
    if isinstance(value, FileField):
        data = value.file.read()
        value.file.close()
        if len(data) > UPLOAD:
            raise Refused(413, "Request Entity Too Large")
        params[name] = files[name] = Part(name, value.filename, value.content_type, data)
    elif isinstance(value, bytes | bytearray):
        params[name] = Form(bytes(value).decode())
    else:
        params[name] = Form(value)


def drop_attached(params: dict[str, Any], files: dict[str, Part]) -> None:
    """Files that another parameter refers to as attach://name are no parameters themselves."""
    if not files:
        return
    spoken = "\n".join(value for value in params.values() if isinstance(value, str))
    for name in files:
        if f"attach://{name}" in spoken:
            del params[name]
