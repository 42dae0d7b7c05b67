/** Receivers in one file, each of which verifies with Standard Webhooks before it believes; `origin` is this server's. */

const python = (origin) => `# Receives the callbacks of ${origin}
import base64, hashlib, hmac, json, os, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = os.environ["WEBHOOK_KEY"]  # whsec_…


def is_genuine(headers, body: bytes) -> bool:
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False
    signed = f"{headers.get('webhook-id')}.{stamp}.".encode() + body
    digest = hmac.digest(base64.b64decode(KEY.removeprefix("whsec_")), signed, hashlib.sha256)
    expected = "v1," + base64.b64encode(digest).decode()
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(expected, one) for one in given)


class Callback(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        genuine = is_genuine(self.headers, body)
        self.send_response(200 if genuine else 401)
        self.end_headers()
        if genuine:
            print(json.loads(body), flush=True)  # keep it now, work on it later


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 3000))), Callback).serve_forever()
`;

const node = (origin) => `// Receives the callbacks of ${origin}; save as receive.mjs
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const key = Buffer.from(process.env.WEBHOOK_KEY.replace(/^whsec_/, ''), 'base64');

function isGenuine(headers, body) {
  const stamp = headers['webhook-timestamp'] ?? '';
  if (!/^\\d+$/.test(stamp) || Math.abs(Date.now() / 1000 - stamp) > 300) return false;
  const hmac = createHmac('sha256', key).update(\`\${headers['webhook-id']}.\${stamp}.\`).update(body);
  const expected = Buffer.from('v1,' + hmac.digest('base64'));
  return (headers['webhook-signature'] ?? '').split(' ').map((one) => Buffer.from(one))
    .some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}

createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const genuine = isGenuine(request.headers, body);
  response.writeHead(genuine ? 200 : 401).end();
  if (genuine) console.log(body.toString()); // keep it now, work on it later
}).listen(process.env.PORT ?? 3000, '127.0.0.1');
`;

const php = (origin) => `<?php // Receives the callbacks of ${origin}; save as receive.php
$key = base64_decode(preg_replace('/^whsec_/', '', getenv('WEBHOOK_KEY')));
$body = file_get_contents('php://input');
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
$stamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
$expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$stamp.$body", $key, true));
$given = explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '');
$genuine = ctype_digit($stamp) && abs(time() - (int) $stamp) <= 300
    && array_filter($given, fn ($one) => hash_equals($expected, $one));
http_response_code($genuine ? 200 : 401);
if ($genuine) {
    error_log($body); // keep it now, work on it later
}
`;

const curl = (origin) => `KEY=ak_…   # an API key of this server
API=${origin}/api/v1; AUTH="Authorization: Bearer $KEY"; JSON="Content-Type: application/json"

# a song comes in: taskId and audioId
curl -H "$AUTH" -F file=@song.mp3 $API/audio/upload

# its stems, announced to your address
curl -H "$AUTH" -H "$JSON" $API/vocal-removal/generate \\
     -d '{"taskId": "…", "audioId": "…", "type": "split_stem", "callBackUrl": "https://you.example/callback"}'

# what was sent, and how your receiver answered
curl -H "$AUTH" $API/tasks/<taskId>/callbacks

# the samples of every kind, at once
curl -H "$AUTH" -H "$JSON" $API/callbacks/test -d '{"callBackUrl": "https://you.example/callback"}'
`;

const library = () => `from antiphon.receiver import Receiver
from antiphon.receiver.serving import serve

receiver = Receiver("inbox", keys=["whsec_…"])  # verifies, keeps, tells repeats apart, downloads


@receiver.on_midi
def midi(result, delivery):
    print(result.task_id, [instrument.name for instrument in result.instruments], delivery.files["song.mid"])


@receiver.on_separation
def stems(result, delivery):
    print(result.task_id, sorted(result.stems))


@receiver.on_video
def video(result, delivery):
    print(result.task_id, delivery.files["video"])


serve(receiver, port=3000)
`;

export const SNIPPETS = {
  library: { title: 'antiphon.receiver', how: 'receive.how.library', text: library },
  python: { title: 'Python', how: 'receive.how.python', text: python },
  node: { title: 'Node.js', how: 'receive.how.node', text: node },
  php: { title: 'PHP', how: 'receive.how.php', text: php },
  curl: { title: 'curl', how: 'receive.how.curl', text: curl },
};
