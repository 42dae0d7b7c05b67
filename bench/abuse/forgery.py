"""Attack on receivers: callbacks that one tenant signs with the webhook key it has, posted to another's receiver."""

import json
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from antiphon.contract import signatures
from antiphon.receiver import Receiver
from bench.abuse.place import Place


def forged_accepted(place: Place) -> int:
    """How many of two forgeries, one of each scheme, the honest tenant's receiver believes."""
    theirs, ours = place.webhook_keys[place.attacker], place.webhook_keys[place.honest]
    task_id = uuid4().hex
    body = json.dumps({"code": 200, "msg": "success", "data": {"task_id": task_id, "video_url": "https://x.example/"}})
    accepted = 0
    with tempfile.TemporaryDirectory() as folder, Receiver(Path(folder) / "inbox", [ours], workers=0) as receiver:
        now = int(time.time())
        signed = signatures.headers([theirs], task_id=task_id, webhook_id="msg_1", body=body.encode(), timestamp=now)
        lower = {name.lower(): value for name, value in signed.items()}
        for scheme in (signatures.STANDARD_HEADERS, signatures.DOCUMENTED_HEADERS):
            headers = {name: lower[name] for name in scheme}
            accepted += receiver.handle("POST", headers, body.encode()).status == 200
    return accepted
