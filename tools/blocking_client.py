"""Writes ``antiphon/client/blocking.py`` from ``asynchronous.py``: the same client without ``async`` and ``await``.

python tools/blocking_client.py
"""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "src" / "antiphon" / "client"
SOURCE, TARGET = FOLDER / "asynchronous.py", FOLDER / "blocking.py"

HEAD = '"""Client of the API for threads, made from ``asynchronous.py`` by ``python tools/blocking_client.py``."""'
CLASS = '''class Client:
    """Calls the API at ``base_url``, ours or any other that keeps the documented contract, with an API key.

    ``base_url`` is with or without ``/api/v1``; ``api_key`` None means ``ANTIPHON_API_KEY``. ``timeout`` in seconds
    bounds each step of a call: connecting (at most 10 s), sending, waiting for the answer. What is safe to repeat is
    repeated as ``retries`` says: reading calls; what never reached the API or was refused by it (430, 455); and, where
    the server honours ``Idempotency-Key`` as ours does, what broke off on the way. ``transport`` is httpx's, to go
    through a proxy, say. May be used from several threads.

    Every method raises ``ApiError`` with the answer's code in ``answer_code``, or ``Unreachable``.
    """
'''
REPLACED = (
    (r'\A"""[^\n]*"""', HEAD),
    (r'class AsyncClient:\n    """.*?"""\n', CLASS),
    (r"import asyncio\n", ""),
    (r"AsyncIterator, Awaitable, Callable", "Callable, Iterator"),
    (r"AsyncIterator", "Iterator"),
    (r"httpx\.AsyncBaseTransport", "httpx.BaseTransport"),
    (r"httpx\.AsyncClient", "httpx.Client"),
    (r"Callable\[\[float\], Awaitable\[None\]\] = asyncio\.sleep", "Callable[[float], None] = time.sleep"),
    (r"__a(enter|exit)__", r"__\1__"),
    (r"self\._http\.aclose\(\)", "self._http.close()"),
    (r"import save_in_thread\n", "import save\n"),
    (r"save_in_thread\(url, Path\(path\), ", "save(url, Path(path), sleep=self._sleep, "),
    (r"aiter_bytes", "iter_bytes"),
    (r"async (def|with|for) ", r"\1 "),
    (r"\(await (self\._ask\(calls\.look\(.*?\)\))\)\.", r"\1."),
    (r"await ", ""),
    (
        r'            for item in page\["tasks"\]:\n                yield item\n',
        '            yield from page["tasks"]\n',
    ),
)


def blocking(source: str) -> str:
    """The source of the blocking client."""
    for pattern, new in REPLACED:
        source, count = re.subn(pattern, new, source, flags=re.S)
        if not count:
            raise ValueError(f"{SOURCE.name} has no {pattern!r} any more: bring the rules of this script up to date")
    return source


if __name__ == "__main__":
    TARGET.write_text(blocking(SOURCE.read_text()))
