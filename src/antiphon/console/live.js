/** What changes on the server, as it changes: one stream of events for the whole page, however many parts look on. */

import { address, get, currentSession } from './api.js';

const listeners = new Set();
let source = null;
let retry = 0;
let state = 'connecting';
const stateListeners = new Set();

/** Call `listener(task)` at each change of any task, and with null when some were missed; gives what ends it. */
export function onTask(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Call `listener` with 'connecting', 'live' or 'lost', now and at each change. */
export function onConnection(listener) {
  stateListeners.add(listener);
  listener(state);
  return () => stateListeners.delete(listener);
}

function become(next) {
  if (next === state) return;
  state = next;
  for (const listener of [...stateListeners]) listener(state);
}

/** Tasks by id as a list, the newest first. */
export const newest = (tasks) => [...tasks.values()].sort((one, other) => other.createTime - one.createTime);

export const hasEnded = (task) => task.state !== 'queued' && task.state !== 'running';

/** Tell everybody of a task, as it came in an event or in an answer. */
export function tell(task) {
  for (const listener of [...listeners]) listener(task);
}

export function connect() {
  if (source) return;
  source = new EventSource(address('/tasks/events'));
  source.addEventListener('open', () => {
    const again = retry > 0 || state === 'lost';
    retry = 0;
    become('live');
    if (again) for (const listener of [...listeners]) listener(null); // something may have been missed: look again
  });
  source.addEventListener('task', (event) => tell(JSON.parse(event.data)));
  source.addEventListener('error', () => {
    become('lost');
    if (source?.readyState === EventSource.CLOSED) reconnect();
  });
}

/** The browser goes on by itself after a broken connection, but not after an answer that is no stream. */
function reconnect() {
  disconnect();
  retry += 1;
  const patience = Math.min(30_000, 500 * 2 ** retry) * (0.8 + 0.4 * Math.random());
  setTimeout(async () => {
    const session = await currentSession().catch(() => undefined);
    if (session === null) await get('/tasks?limit=1').catch(() => {}); // tells the page that the session has ended
    else connect();
  }, patience);
}

export function disconnect() {
  source?.close();
  source = null;
}

/** The newest 200 tasks and those that come, by their ids, handed to `draw` at each change. */
export function watchTasks(draw, fail) {
  const tasks = new Map();
  let known = false;

  async function look() {
    try {
      for (const task of (await get('/tasks?limit=200')).tasks) tasks.set(task.taskId, task);
      known = true;
      draw(tasks);
    } catch (error) {
      fail(error);
    }
  }

  const close = onTask((task) => {
    if (task === null) { look(); return; }
    tasks.set(task.taskId, task);
    if (known) draw(tasks);
  });
  look();
  return { look, close };
}

/** The task once `enough(task)` holds; rejects when `signal` is aborted. */
export function until(taskId, enough, signal) {
  return new Promise((resolve, reject) => {
    const look = (task) => {
      if (task === null) get(`/tasks/${taskId}`).then(look, () => {});
      else if (task.taskId === taskId && enough(task)) { stop(); resolve(task); }
    };
    const stop = onTask(look);
    signal?.addEventListener('abort', () => { stop(); reject(signal.reason); });
    get(`/tasks/${taskId}`).then(look, (error) => { stop(); reject(error); });
  });
}
