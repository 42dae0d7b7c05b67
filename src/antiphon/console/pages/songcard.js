/** A song in the list, with a line for each thing that is made of it. */

import { h, icon, keyed } from '../dom.js';
import { relative, t } from '../i18n.js';
import { hasEnded } from '../live.js';
import { isPlanned } from '../orders.js';
import { kindIcon, kindName } from '../parts.js';
import { cancelButton, status } from '../status.js';

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
    const tasks = [...made, ...planned(made)].map((task) => ({ ...task, root }));
    keyed(lines, tasks, (task) => task.taskId, taskLine);
    lines.hidden = tasks.length === 0;
  }

  update(family);
  return { node, update };
}

/** MIDI that waits for its stems. */
function planned(made) {
  const begun = new Set(made.filter((task) => task.kind === 'midi').map((task) => task.sourceTaskId));
  return made
    .filter((task) => task.kind === 'separation' && isPlanned(task.taskId) && !begun.has(task.taskId))
    .map((task) => ({ taskId: `plan-${task.taskId}`, kind: 'midi', state: 'queued', planned: true }));
}

/** What it is, how it stands, and the way to it. */
function taskLine(task) {
  const shown = status(task);
  const why = h('span', { class: 'hint why' });
  const end = h('span', { class: 'line-end' });
  const node = h('li', { class: 'line', data: { kind: task.kind } },
    kindIcon(task.kind), h('span', {}, kindName(task.kind)), h('div', { class: 'line-how' }, shown.node, why), end);
  let drawn = '';

  function update(now) {
    node.dataset.state = now.state;
    shown.update(now);
    why.textContent = now.state === 'failed' ? now.errorMessage : '';
    if (drawn === now.state) return;
    drawn = now.state;
    end.replaceChildren(...action(now));
  }

  update(task);
  return { node, update };
}

function action(task) {
  if (task.planned) return [];
  if (!hasEnded(task)) return [cancelButton({ ...task, title: kindName(task.kind) }, '', { icon: 'cross', kind: 'quiet small' })];
  if (task.state !== 'succeeded' || !PARTS[task.kind]) return [];
  return [h('a', { class: 'go', href: `#/song/${task.root.taskId}?part=${PARTS[task.kind]}` }, t(`go.${task.kind}`), icon('more'))];
}
