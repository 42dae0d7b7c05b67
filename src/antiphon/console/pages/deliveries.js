/** The callbacks of tasks: which there were, and everything about those of one task. */

import { address, get, post } from '../api.js';
import { copy, copyOf, h, icon, keyed, notify } from '../dom.js';
import { bytes, moment, relative, t } from '../i18n.js';
import { newest, onTask, watchTasks } from '../live.js';
import { callbackBadge, codeBlock, empty, kindIcon, kindName, loading, problem } from '../parts.js';
import { acting } from '../status.js';
import { attemptLine, curl } from './attempts.js';

/** The tasks that announce themselves, newest first. */
export function announced() {
  const { node, said, table, rows } = copyOf('announced');

  function draw(tasks) {
    const list = newest(tasks).filter((task) => task.callbackUrl);
    table.hidden = list.length === 0;
    said.replaceChildren(...(list.length ? [] : [empty(t('callbacks.none'), t('callbacks.none.hint'), h('a', { class: 'button', href: '#/setup/receive' }, t('setup.receive')))]));
    keyed(rows, list, (task) => task.taskId, announcement);
  }

  said.append(loading());
  return { node, ...watchTasks(draw, (error) => said.replaceChildren(problem(error))) };
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
  const resend = acting(t('callbacks.resend'), { icon: 'again', work: again });
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
    if (deliveries.length) list.replaceChildren(...deliveries.toReversed().map((sent) => delivery(taskId, sent)));
    else list.replaceChildren(empty(t('callbacks.not-yet'), t(task.callbackUrl ? 'callbacks.not-yet.hint' : 'callbacks.no-url')));
  }

  async function again() {
    draw((await post(`/tasks/${taskId}/callbacks/resend`)).deliveries);
    notify(t('callbacks.resent'));
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

function delivery(taskId, sent) {
  const longest = Math.max(1, ...sent.attempts.map((attempt) => attempt.milliseconds));
  const newest = sent.attempts.at(-1);
  const whole = address(`/tasks/${taskId}/callbacks/${sent.number}/body`);
  const command = newest?.requestHeaders && acting(t('callbacks.curl'), { icon: 'copy', kind: 'small', work: async () => {
    const body = sent.bodyComplete ? sent.body : await (await fetch(whole)).text();
    await copy(curl(sent.url, newest.requestHeaders, body), t('copied'));
  } });
  return h('section', { class: 'sheet delivery', 'aria-label': sent.webhookId },
    h('div', { class: 'row spread' }, h('div', { class: 'grow' }, h('p', { class: 'url' }, `POST ${sent.url}`), h('p', { class: 'hint mono' }, sent.webhookId)), callbackBadge(sent.state)),
    sent.nextAttemptTime && h('p', { class: 'remark' }, icon('clock'), t('callbacks.next', { when: moment(sent.nextAttemptTime) })),
    sent.state === 'stopped' && h('p', { class: 'problem' }, icon('alert'), h('span', {}, t('callbacks.stopped'))),
    h('div', {}, h('h3', {}, t('callbacks.attempts')),
      sent.attempts.length
        ? h('ol', { class: 'attempts' }, sent.attempts.map((attempt) => attemptLine(attempt, longest, {
          name: t('attempt.number', { number: attempt.number }), good: !attempt.error, open: attempt === newest && Boolean(attempt.error),
        })))
        : h('p', { class: 'hint' }, t('callbacks.none-yet'))),
    h('div', {}, h('div', { class: 'row spread' }, h('h3', {}, t('callbacks.body')), command), codeBlock(sent.body, { wrap: true }),
      !sent.bodyComplete && h('p', { class: 'small' }, h('a', { href: whole, target: '_blank', rel: 'noopener' }, t('callbacks.whole-body', { size: bytes(sent.bodySize) })))));
}
