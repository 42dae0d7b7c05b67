/** How a task stands, live, and what can be done about it. */

import { get, post } from './api.js';
import { button, h, notify } from './dom.js';
import { named, percent, t } from './i18n.js';
import { hasEnded, tell } from './live.js';
import { repeat } from './orders.js';
import { kindName, progressBar, stateBadge } from './parts.js';

/** Stage and bar while a task goes on, a badge when it has ended. Made new: `{node, update}`. */
export function status(task) {
  const bar = progressBar(kindName(task.kind));
  const words = h('span', { class: 'hint' });
  const node = h('div', { class: 'status' });
  let drawn = '';

  function update({ state, stage, progress, planned }) {
    bar.set(progress ?? 0);
    words.textContent = waiting(planned, state) ?? `${named(`stage.${stage}`, stage)} · ${percent(progress)}`;
    if (drawn === state) return;
    drawn = state;
    node.replaceChildren(...(hasEnded({ state }) ? [stateBadge(state)] : [words, bar.node]));
  }

  update(task);
  return { node, update };
}

function waiting(planned, state) {
  if (planned) return t('plan.midi');
  return state === 'queued' ? t('state.waiting') : null;
}

/** A button that is off while it works, and says what went wrong. */
export function acting(text, { work, ...props }) {
  const control = button(text, { ...props, on: { click: act } });
  async function act() {
    control.disabled = true;
    await work().catch((error) => notify(error.message, 'bad'));
    control.disabled = false;
  }
  return control;
}

export function cancelButton(task, text = t('task.cancel'), props = {}) {
  const name = task.title ?? kindName(task.kind);
  const work = () => post(`/tasks/${task.taskId}/cancel`).then(tell);
  return acting(text, { work, kind: 'small', label: t('task.cancel.of', { name }), ...props });
}

/** The same once more, of a task that came to nothing. */
export function againButton(task) {
  const name = task.title ?? kindName(task.kind);
  const work = async () => {
    await repeat(await get(`/tasks/${task.taskId}`));
    notify(t('task.again.done'));
  };
  return acting(t('task.again'), { work, icon: 'again', kind: 'small', label: t('task.again.of', { name }) });
}

export const canRepeat = ({ kind, state }) => kind !== 'upload' && (state === 'failed' || state === 'cancelled');
