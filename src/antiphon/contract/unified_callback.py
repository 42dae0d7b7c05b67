"""Callbacks of the unified form, brought into the form of the separate paths, so that one reader reads both."""

import json
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]

_CONTENT = {
    "separate-vocals": "vocal_removal_info",
    "generate-midi-from-audio": "instruments",
    "create-music-video": "video_url",
    "convert-to-wav-format": "audioWavUrl",
}
"""The field of the separate form that holds what a model makes, by the end of the model's name."""


def separate_form(document: Document) -> Document:
    """The callback in the form of the separate paths.

    Returns:
        ``document`` itself where it has that form, names a model that nobody knows, or has a ``resultJson`` that is no
        JSON; else a copy with its content where the form of the separate paths has it.
    """
    data = document.get("data")
    if not isinstance(data, Mapping) or not isinstance(data.get("model"), str) or "state" not in data:
        return document
    field = _CONTENT.get(data["model"].rpartition("/")[2])
    if field is None or field in data:
        return document
    if data["state"] == "fail":
        reason = data.get("failMsg") or document.get("msg")
        return {**document, "code": 500, "msg": reason, "data": {**data, "state": "failed", field: None}}
    result = _result(data.get("resultJson"))
    if data["state"] != "success" or result is None:
        return document
    return {**document, "data": {**data, "state": "complete", **_content(field, result)}}


def _result(text: object) -> Document | None:
    if isinstance(text, str):
        try:
            text = json.loads(text)
        except (ValueError, RecursionError):
            return None
    return text if isinstance(text, Mapping) else None


def _content(field: str, result: Document) -> Document:
    urls = result.get("resultUrls")
    first = urls[0] if isinstance(urls, list) and urls else None
    if field == "vocal_removal_info":
        return {field: result}
    if field == "video_url":
        return {field: first, "thumbnail_url": result.get("thumbnail_url")}
    if field == "audioWavUrl":
        return {field: result.get("audioWavUrl", first)}
    return {field: result.get("instruments", [])}
