/** A song in the list, with a line for each thing that is made of it. */

import { post } from '../api.js';
import { button, h, icon, keyed, notify } from '../dom.js';
import { percent, relative, t } from '../i18n.js';
import { hasEnded, tell } from '../live.js';
import { isPlanned } from '../orders.js';
import { kindIcon, kindName, progressBar, stageName, stateBadge } from '../parts.js';

const PARTS = { separation: 'mixer', midi: 'notes', video: 'video' };

/** @returns {{node: HTMLElement, update: (family: object) => void}} */
export function songCard(family) {
  const lines = h('ul', { class: 'lines' });
  const when = h('span', { class: 'hint' });
  const name = h('a', { href: `#/song/${family.root.taskId}` });
  const node = h('article', { class: 'sheet song-card' },
    h('div', { class: 'row spread' }, h('h3', { class: 'song-name' }, name), when), lines);

  function update({ root, made }) {
    name.textContent = root.title ?? t('untitled');
    when.textContent = relative(root.createTime);
    const waiting = made.filter((task) => task.kind === 'separation' && isPlanned(task.taskId) && !made.some((one) => one.sourceTaskId === task.taskId && one.kind === 'midi'));
    const rows = [...made, ...waiting.map((task) => ({ taskId: `plan-${task.taskId}`, kind: 'midi', planned: true, state: 'queued', root }))];
    keyed(lines, rows.map((task) => ({ ...task, root })), (task) => task.taskId, taskLine);
    lines.hidden = rows.length === 0;
  }

  update(family);
  return { node, update };
}

/** A line: what it is, how far it is, and the way to it. */
export function taskLine(task) {
  const bar = progressBar(kindName(task.kind));
  const said = h('span', { class: 'hint stage' });
  const end = h('span', { class: 'line-end' });
  const node = h('li', { class: 'line', data: { kind: task.kind } }, kindIcon(task.kind), h('span', { class: 'line-name' }, kindName(task.kind)), h('div', { class: 'line-how' }), end);
  const how = node.querySelector('.line-how');
  let drawn = '';

  function update(now) {
    node.dataset.state = now.state;
    bar.set(now.progress ?? 0);
    if (now.planned) said.textContent = t('plan.midi');
    else if (now.state === 'running') said.textContent = `${stageName(now.stage)} · ${percent(now.progress)}`;
    else if (now.state === 'queued') said.textContent = t('state.waiting');
    if (drawn === now.state) return;
    drawn = now.state;
    how.replaceChildren(...(hasEnded(now) ? ended(now) : [said, bar.node]));
    end.replaceChildren(...action(now));
  }

  update(task);
  return { node, update };
}

function ended(task) {
  const words = task.state === 'failed' && h('span', { class: 'hint', title: task.errorMessage }, task.errorMessage);
  return [stateBadge(task.state), words].filter(Boolean);
}

function action(task) {
  if (task.planned) return [];
  if (!hasEnded(task)) {
    const stop = button('', { icon: 'cross', kind: 'quiet small', label: t('task.cancel.of', { name: kindName(task.kind) }), on: { click: cancel } });
    async function cancel() {
      stop.disabled = true;
      await post(`/tasks/${task.taskId}/cancel`).then(tell, (error) => notify(error.message, 'bad'));
      stop.disabled = false;
    }
    return [stop];
  }
  if (task.state !== 'succeeded') return [];
  return [h('a', { class: 'go', href: `#/song/${task.root.taskId}?part=${PARTS[task.kind]}` }, t(`go.${task.kind}`), icon('more'))];
}
