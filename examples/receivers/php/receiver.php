<?php
// Takes Antiphon's callbacks: verify, keep in SQLite, answer 200; a second process does the work. See README.md.
declare(strict_types=1);

/** Your work. What it throws is tried again, and a crash may have left it half done: a second run must do no harm. */
function work(string $taskId, array $callback): void
{
    $data = $callback['data'] ?? [];
    $instruments = $data['instruments'] ?? $callback['instruments'] ?? null;
    echo $taskId, ' ', match (true) {
        ($callback['code'] ?? 0) !== 200 => 'failed: ' . ($callback['msg'] ?? 'no message'),
        $instruments !== null => 'midi: ' . (implode(', ', array_column($instruments, 'name')) ?: 'no notes'),
        isset($data['video_url']) => "video: {$data['video_url']}",
        default => 'stems: ' . json_encode($data['vocal_removal_info'] ?? null, JSON_UNESCAPED_SLASHES),
    }, PHP_EOL;
}

/** Standard Webhooks where its headers are, else the documented scheme. */
function verified(array $keys, string $body, string $taskId): bool
{
    $standard = (bool) preg_grep('/^HTTP_WEBHOOK_/', array_keys($_SERVER));
    $header = fn (string $name): string => $_SERVER[($standard ? 'HTTP_WEBHOOK_' : 'HTTP_X_WEBHOOK_') . $name] ?? '';
    $time = $header('TIMESTAMP');
    $message = $standard ? "{$header('ID')}.$time.$body" : "$taskId.$time";
    $offered = $standard ? explode(' ', $header('SIGNATURE')) : ["v1,{$header('SIGNATURE')}"];
    $matches = 0;
    foreach ($keys as $key) {
        $secret = $standard && str_starts_with($key, 'whsec_') ? base64_decode(substr($key, 6)) : $key;
        $expected = 'v1,' . base64_encode(hash_hmac('sha256', $message, $secret, binary: true));
        $matches += count(array_filter($offered, fn (string $one): bool => hash_equals($expected, $one)));
    }
    return $matches > 0 && preg_match('/^\d{1,12}$/D', $time) && abs(time() - (int) $time) <= 300;
}

http_response_code(503); // unless it ends well
$keys = explode(',', (string) getenv('WEBHOOK_KEYS'));
if (preg_grep('~^(whsec_[\w+/]{22,}=*|(?!whsec_)\S{8,})$~D', $keys, PREG_GREP_INVERT) || ini_get('display_errors')) {
    throw new RuntimeException('WEBHOOK_KEYS is empty or damaged, or display_errors is on: see README.md');
}
$inbox = new PDO('sqlite:' . (getenv('INBOX') ?: __DIR__ . '/inbox.sqlite3'));
$inbox->exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS callbacks
    (task_id TEXT PRIMARY KEY, attempts INT DEFAULT 0, due INT DEFAULT 0, done INT, body TEXT NOT NULL)');

if (PHP_SAPI !== 'cli') {
    $body = (string) file_get_contents('php://input', length: 32_000_001);
    preg_match('/"task_?[iI]d"\s*:\s*"([\w-]{1,100})"/', $body, $found);
    $keep = $inbox->prepare('INSERT OR IGNORE INTO callbacks (task_id, body) VALUES (?, ?)');
    http_response_code(match (true) {
        strlen($body) > 32_000_000 => 413,
        !verified($keys, $body, $found[1] ?? '') => 401,
        !$found || json_decode($body) === null => 400, // not JSON, or without a task id
        $keep->execute([$found[1], $body]) => 200,
    });
    exit;
}

flock($self = fopen(__FILE__, 'r'), LOCK_EX); // one process works at a time; when it dies, the next one takes over
$next = 'UPDATE callbacks SET attempts = attempts + 1, due = unixepoch() + min(3600, 2 << min(attempts, 11))
    WHERE task_id IN (SELECT task_id FROM callbacks WHERE done IS NULL AND due < unixepoch() AND attempts < 340 LIMIT 9)
    RETURNING task_id, body, attempts';
for (;; usleep(200_000)) {
    foreach ($inbox->query($next)->fetchAll(PDO::FETCH_NUM) as [$taskId, $body, $attempt]) {
        try {
            work($taskId, json_decode($body, true));
            $inbox->prepare('UPDATE callbacks SET done = unixepoch() WHERE task_id = ?')->execute([$taskId]);
        } catch (Throwable $error) {
            error_log("$taskId, attempt $attempt: {$error->getMessage()}");
        }
    }
}
