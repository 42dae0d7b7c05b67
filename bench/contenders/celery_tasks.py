"""Callbacks as most would write them: a Celery task with requests and autoretry, on Redis.

``celery -A celery_tasks worker`` runs them; ``python celery_tasks.py URL NUMBER SIZE`` queues them. The broker is
``BROKER`` in the environment.
"""

import os
import sys

import requests
from celery import Celery  # type: ignore[import-not-found]  # in an environment of its own

app = Celery("callbacks", broker=os.environ["BROKER"])
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True


@app.task(name="send", autoretry_for=(requests.RequestException,), retry_backoff=True, max_retries=3)  # type: ignore[untyped-decorator]
def send(url: str, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    requests.post(url, data=body.encode(), headers=headers, timeout=15).raise_for_status()


def queue(url: str, number: int, size: int) -> None:
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        for _ in range(number):
            send.apply_async((url, "x" * size), producer=producer)


if __name__ == "__main__":
    queue(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
