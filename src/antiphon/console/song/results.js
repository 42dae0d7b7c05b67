/** Everything that was made of the song: files to take away, what goes on, what failed, and how to have more. */

import { address, get } from '../api.js';
import { button, h, icon, keyed, notify } from '../dom.js';
import { bytes, clock, moment, named, relative, t } from '../i18n.js';
import { hasEnded } from '../live.js';
import { choices, order } from '../orders.js';
import { callbackBadge, kindIcon, kindName, problem } from '../parts.js';
import { againButton, cancelButton, status } from '../status.js';

export function results() {
  const list = h('div', { class: 'stack' });
  const more = h('details', { class: 'sheet make-more' });
  const node = h('section', { class: 'panel', id: 'results' }, h('h2', {}, t('results.title')), list, more);
  let offered = null;
  return {
    node,
    update(family, tasks) {
      keyed(list, tasks, (task) => task.taskId, result);
      const separation = family.separation?.taskId ?? '';
      if (offered === separation) return;
      offered = separation;
      more.replaceChildren(h('summary', {}, t('results.more')), moreForm(family, separation));
    },
  };
}

function moreForm({ root }, separation) {
  const wanted = choices({ chosen: false, separation });
  const said = h('div', { 'aria-live': 'polite' });
  async function start(event) {
    event.preventDefault();
    try {
      await order(root, wanted.read());
      said.replaceChildren();
      notify(t('results.ordered'));
    } catch (error) {
      said.replaceChildren(problem(error));
    }
  }
  return h('form', { class: 'stack', on: { submit: start } }, wanted.node, said, h('div', {}, button(t('try.start'), { kind: 'primary', type: 'submit' })));
}

/** One task of the family: its state, and its files when it has them. */
function result(task) {
  const shown = status(task);
  const callback = h('span');
  const body = h('div', { class: 'stack' });
  const node = h('article', { class: 'sheet result', data: { kind: task.kind } },
    h('div', { class: 'row spread' }, h('div', { class: 'result-name' }, kindIcon(task.kind), h('h3', {}, titleOf(task))), h('div', { class: 'row' }, callback)),
    shown.node, body);
  let drawn = '';

  function update(now) {
    shown.update(now);
    shown.node.hidden = now.state === 'succeeded';
    const look = [now.state, now.callbackState, now.artifacts.length].join();
    if (look === drawn) return;
    drawn = look;
    callback.replaceChildren(...(now.callbackUrl ? [h('a', { href: `#/callbacks/task/${now.taskId}` }, callbackBadge(now.callbackState))] : []));
    body.replaceChildren(...content(now));
  }

  update(task);
  return { node, update };
}

function titleOf({ kind, parameters }) {
  const variant = kind === 'separation' ? t(`make.${parameters?.type ?? 'split_stem'}`) : parameters?.quantize;
  return [kindName(kind), variant].filter(Boolean).join(' · ');
}

function content(task) {
  if (!hasEnded(task)) return [h('div', {}, cancelButton(task))];
  if (task.state === 'failed') return [h('p', { class: 'problem' }, icon('alert'), h('span', {}, task.errorMessage)), h('div', {}, againButton(task))];
  if (task.state === 'cancelled') return [h('div', {}, againButton(task))];
  if (!task.artifacts.length) return [h('p', { class: 'remark' }, icon('clock'), t('results.expired'))];
  return [files(task), foot(task)];
}

function files(task) {
  return h('ul', { class: 'files' }, task.artifacts.map((artifact) => h('li', {},
    h('a', { href: artifact.url, download: artifact.filename, class: 'file' }, icon('download'), h('span', {}, fileName(artifact))),
    h('span', { class: 'hint number' }, [artifact.duration && clock(artifact.duration), bytes(artifact.size)].filter(Boolean).join(' · ')))),
  task.kind === 'midi' && h('li', {}, h('button', { type: 'button', class: 'file', on: { click: () => saveNotes(task) } }, icon('download'), h('span', {}, t('results.json'))), h('span', { class: 'hint' }, 'JSON')));
}

const fileName = ({ name, filename }) => named(`stem.${name}`, name) + (/\.\w+$/.exec(filename)?.[0] ?? '');

function foot(task) {
  return h('div', { class: 'row spread' },
    h('p', { class: 'hint' }, task.expireTime && h('time', { title: moment(task.expireTime) }, t('song.expires', { when: relative(task.expireTime) }))),
    task.artifacts.length > 1 && h('a', { class: 'button small', href: address(`/tasks/${task.taskId}/archive`), download: true }, icon('download'), t('results.zip')));
}

/** The notes as the callback has them. */
async function saveNotes(task) {
  try {
    const { midiData } = await get(`/midi/record-info?taskId=${task.taskId}`);
    const url = URL.createObjectURL(new Blob([JSON.stringify(midiData)], { type: 'application/json' }));
    h('a', { href: url, download: `${task.title ?? 'notes'}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  } catch (error) {
    notify(error.message, 'bad');
  }
}
