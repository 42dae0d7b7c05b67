// Takes Antiphon's callbacks: verify, keep on disk, answer 200, and only then work. README.md tells how to start it.
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import express from 'express';

// Your work. What it throws is tried again, and a crash may have left it half done: a second run must do no harm.
async function work(taskId, { code, msg, data, instruments = data?.instruments }) {
  if (code !== 200) console.log(`${taskId} failed: ${msg}`);
  else if (instruments) console.log(`${taskId} midi: ${instruments.map(({ name }) => name).join(', ') || 'no notes'}`);
  else if (data?.video_url) console.log(`${taskId} video: ${data.video_url}`);
  else console.log(`${taskId} stems:`, data?.vocal_removal_info);
}

const { WEBHOOK_KEYS = '', INBOX = 'inbox', HOST = '127.0.0.1', PORT = '3000' } = process.env;
const keys = WEBHOOK_KEYS.split(',').map((key) => key.trim());
const secret = (key) => (key.startsWith('whsec_') ? Buffer.from(key.slice(6), 'base64') : Buffer.from(key));
if (!keys.every((key) => secret(key).length > 7)) throw new Error('WEBHOOK_KEYS: expected a key, or several with commas');
const parse = (body) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));

function verified(headers, body, taskId) { // Standard Webhooks where its headers are, else the documented scheme
  const standard = Object.keys(headers).some((name) => name.startsWith('webhook-'));
  const header = (name) => headers[standard ? `webhook-${name}` : `x-webhook-${name}`] ?? '';
  const [time, signature] = [header('timestamp'), header('signature')];
  if (!/^\d{1,12}$/.test(time) || Math.abs(Date.now() / 1000 - time) > 300) return false;
  const offered = (standard ? signature.split(' ') : [`v1,${signature}`]).map((one) => Buffer.from(one));
  return keys.some((key) => {
    const hmac = createHmac('sha256', standard ? secret(key) : key);
    hmac.update(standard ? `${header('id')}.${time}.` : `${taskId}.${time}`).update(standard ? body : '');
    const expected = Buffer.from(`v1,${hmac.digest('base64')}`);
    return offered.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
  });
}

async function keep(taskId, body) { // true when it is new: of all that ever link this name, one succeeds
  const [draft, kept] = [`${INBOX}/${randomUUID()}.part`, `${INBOX}/${taskId}.json`];
  const error = await writeFile(draft, body, { flush: true }).then(() => link(draft, kept)).catch((why) => why);
  await rm(draft, { force: true }).catch(console.error);
  if (error && error.code !== 'EEXIST') throw Object.assign(error, { status: 503 });
  return !error;
}

async function follow(taskId, attempt = 1) {
  try {
    await work(taskId, parse(await readFile(`${INBOX}/${taskId}.json`)));
    await writeFile(`${INBOX}/${taskId}.done`, '');
  } catch (error) {
    console.error(`${taskId}, attempt ${attempt}:`, error);
    if (attempt < 340) setTimeout(follow, 1000 * Math.min(2 ** attempt, 3600), taskId, attempt + 1); // for two weeks
  }
}

const app = express().set('env', 'production'); // no stack traces in answers
app.use(express.raw({ type: () => true, limit: 32_000_000, inflate: false }));
app.post('/hook', async ({ headers, body = Buffer.alloc(0) }, response) => {
  const [, taskId] = /"task_?[iI]d"\s*:\s*"([\w-]{1,100})"/.exec(body.toString('latin1')) ?? [];
  if (!taskId) return response.status(400).send('expected a task id of letters, digits, _ and -');
  if (!verified(headers, body, taskId)) return response.status(401).send('the signature does not hold');
  try { parse(body); } catch { return response.status(400).send('expected JSON in UTF-8'); }
  const isNew = await keep(taskId, body);
  // Without the sync a power cut may still take it, so the sender is asked to come again; the work is due all the same.
  const safe = await folder.sync().then(() => true, (error) => console.error(error));
  response.status(safe ? 200 : 503).json(safe ? { code: 200, msg: 'success' } : { code: 503, msg: 'not kept safely' });
  if (isNew) await follow(taskId);
});

await mkdir(INBOX, { recursive: true });
const [folder, names] = [await open(INBOX), new Set(await readdir(INBOX))];
app.listen(PORT, HOST, (error) => { if (error) throw error; }).requestTimeout = 30_000;
const pending = [...names].filter((name) => name.endsWith('.json') && !names.has(name.replace('.json', '.done')));
for (const name of pending) await follow(name.slice(0, -5));
