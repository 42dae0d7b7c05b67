"""What an upload leaves behind that never came to its end."""

import socket
from pathlib import Path

import psycopg

from tests.acceptance.cluster import HOST, Cluster
from tests.waiting import wait_for

PROMISED = 50_000_000  # bytes that the client says it will send
SENT = 3_000_000


def half_an_upload(cluster: Cluster) -> socket.socket:
    """A connection in the middle of an upload, which must be kept open."""
    part = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="song.mp3"\r\n\r\n'
    head = (
        f"POST /api/v1/audio/upload HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {cluster.api_key}\r\n"
        f"Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {PROMISED}\r\n\r\n"
    )
    connection = socket.create_connection((HOST, cluster.port))
    connection.sendall(head.encode() + part + bytes(SENT))
    return connection


def bytes_in_scratch(cluster: Cluster) -> int:
    return sum(path.stat().st_size for folder in cluster.scratch() for path in folder.glob("upload-*"))


def test_kill_9_of_the_api_during_an_upload_leaves_nothing_half_stored(
    cluster: Cluster, database_url: str, clip: Path
) -> None:
    api = cluster.start("api")
    with cluster.client() as client:
        client.upload(clip)
    before = cluster.stored()
    with half_an_upload(cluster):
        wait_for(lambda: bytes_in_scratch(cluster) > SENT // 2, "half an upload")
        api.kill()
    assert cluster.stored() == before
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM tasks").fetchone() == (1,)

    cluster.start("api")
    assert cluster.scratch() == []
    with cluster.client() as client:
        client.upload(clip)
    assert len(cluster.stored()) == 2 * len(before)


def test_a_client_that_hangs_up_during_an_upload_leaves_nothing(cluster: Cluster, database_url: str) -> None:
    api = cluster.start("api")
    with half_an_upload(cluster):
        wait_for(lambda: bytes_in_scratch(cluster) > SENT // 2, "half an upload")
    wait_for(lambda: not cluster.scratch(), "an empty scratch folder")
    assert cluster.stored() == set()
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM tasks").fetchone() == (0,)
    assert "Traceback" not in api.log, "a client that hangs up is no error of ours"
