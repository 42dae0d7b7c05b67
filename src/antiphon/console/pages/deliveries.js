/** The callbacks of tasks: which there were, and everything about those of one task. */

import { get, post } from '../api.js';
import { button, copy, copyOf, h, icon, keyed, notify } from '../dom.js';
import { relative, exactly, t } from '../i18n.js';
import { onTask } from '../live.js';
import { callbackBadge, codeBlock, empty, kindIcon, kindName, loading, problem } from '../parts.js';
import { attemptLine, curl } from './attempts.js';

/** The tasks that announce themselves, newest first. */
export function announced() {
  const { node, said, table, rows } = copyOf('announced');
  const known = new Map();
  said.append(loading());

  async function look() {
    try {
      const { tasks } = await get('/tasks?limit=200');
      for (const task of tasks) known.set(task.taskId, task);
      draw();
    } catch (error) {
      said.replaceChildren(problem(error));
    }
  }

  function draw() {
    const list = [...known.values()].filter((task) => task.callbackUrl).sort((one, other) => other.createTime - one.createTime);
    table.hidden = list.length === 0;
    said.replaceChildren(...(list.length ? [] : [empty(t('callbacks.none'), t('callbacks.none.hint'), h('a', { class: 'button', href: '#/setup/receive' }, t('setup.receive')))]));
    keyed(rows, list, (task) => task.taskId, announcement);
  }

  const stop = onTask((task) => {
    if (task === null) { look(); return; }
    known.set(task.taskId, task);
    draw();
  });
  look();
  return { node, close: stop };
}

function announcement(task) {
  const state = h('td', { data: { label: t('tasks.callback') } });
  const node = h('tr', {},
    h('td', {}, h('div', { class: 'task-name' }, kindIcon(task.kind),
      h('a', { href: `#/callbacks/task/${task.taskId}` }, task.title ?? t('untitled')), h('span', { class: 'hint' }, kindName(task.kind)))),
    state,
    h('td', {}, h('span', { class: 'url' }, task.callbackUrl)),
    h('td', { data: { label: t('tasks.created') } }, relative(task.createTime)));
  const update = (now) => state.replaceChildren(callbackBadge(now.callbackState));
  update(task);
  return { node, update };
}

/** All deliveries of one task, as they happen. */
export function deliveriesOf(taskId) {
  const title = h('h2', {}, t('kind.task'));
  const about = h('p', { class: 'hint' });
  const resend = button(t('callbacks.resend'), { icon: 'again', on: { click: again } });
  const list = h('div', {}, loading());
  let seen = '';

  async function look() {
    try {
      const [task, { deliveries }] = await Promise.all([get(`/tasks/${taskId}`), get(`/tasks/${taskId}/callbacks`)]);
      title.textContent = task.title ?? t('untitled');
      about.replaceChildren(kindName(task.kind), ' · ', h('span', { class: 'mono' }, task.taskId));
      draw(deliveries, task);
    } catch (error) {
      list.replaceChildren(problem(error));
    }
  }

  function draw(deliveries, task) {
    const now = JSON.stringify(deliveries);
    if (now === seen) return;
    seen = now;
    resend.hidden = deliveries.length === 0;
    if (deliveries.length) list.replaceChildren(...deliveries.toReversed().map(delivery));
    else list.replaceChildren(empty(t('callbacks.not-yet'), t(task.callbackUrl ? 'callbacks.not-yet.hint' : 'callbacks.no-url')));
  }

  async function again() {
    resend.disabled = true;
    try {
      const { deliveries } = await post(`/tasks/${taskId}/callbacks/resend`);
      draw(deliveries);
      notify(t('callbacks.resent'));
    } catch (error) {
      notify(error.message, 'bad');
    } finally {
      resend.disabled = false;
    }
  }

  const stop = onTask((task) => { if (task === null || task.taskId === taskId) look(); });
  look();
  return {
    node: h('div', {},
      h('p', { class: 'crumb small' }, h('a', { href: '#/callbacks' }, t('callbacks.all'))),
      h('div', { class: 'row spread' }, h('div', { class: 'grow' }, title, about), resend), list),
    close: stop,
  };
}

function delivery(sent) {
  const longest = Math.max(1, ...sent.attempts.map((attempt) => attempt.milliseconds));
  const newest = sent.attempts.at(-1);
  const command = newest && sent.body && button(t('callbacks.curl'), { icon: 'copy', kind: 'small', on: { click: () => copy(curl(sent.url, newest.requestHeaders, sent.body), t('copied')) } });
  return h('section', { class: 'sheet delivery', 'aria-label': sent.webhookId },
    h('div', { class: 'row spread' }, h('div', { class: 'grow' }, h('p', { class: 'url' }, `POST ${sent.url}`), h('p', { class: 'hint mono' }, sent.webhookId)), callbackBadge(sent.state)),
    sent.nextAttemptTime && h('p', { class: 'remark' }, icon('clock'), t('callbacks.next', { when: exactly(sent.nextAttemptTime) })),
    sent.state === 'stopped' && h('p', { class: 'problem' }, icon('alert'), h('span', {}, t('callbacks.stopped'))),
    h('div', {}, h('h3', {}, t('callbacks.attempts')),
      sent.attempts.length
        ? h('ol', { class: 'attempts' }, sent.attempts.map((attempt) => attemptLine(attempt, longest, {
          name: t('attempt.number', { number: attempt.number }), good: !attempt.error, open: attempt === newest && Boolean(attempt.error),
        })))
        : h('p', { class: 'hint' }, t('callbacks.none-yet'))),
    h('div', {}, h('div', { class: 'row spread' }, h('h3', {}, t('callbacks.body')), command), body(sent)));
}

/** The exact text that was sent; of a large one the beginning, and a link to the whole. */
function body(sent) {
  const parts = [];
  if (sent.body) parts.push(codeBlock(sent.body, { wrap: true }));
  if (sent.bodyUrl) parts.push(h('p', { class: 'small' }, h('a', { href: sent.bodyUrl }, t('callbacks.whole-body'))));
  return parts;
}
