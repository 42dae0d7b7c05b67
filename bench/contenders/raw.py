"""An aiohttp loop that keeps nothing: ``python -m bench.contenders.raw URL NUMBER SIZE PARALLEL``."""

import asyncio
import sys

import aiohttp
import uvloop


async def main(url: str, number: int, size: int, parallel: int) -> None:
    body = b"x" * size
    left = iter(range(number))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def send() -> None:
            for _ in left:
                async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
                    await answer.read()

        await asyncio.gather(*(send() for _ in range(parallel)))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], *map(int, sys.argv[2:5])))
