/** All tasks of this key: found by kind, state and text, live, and stopped or done once more from here. */

import { get, query } from '../api.js';
import { copyOf, h, icon, keyed } from '../dom.js';
import { moment, relative, t } from '../i18n.js';
import { hasEnded, newest, onTask } from '../live.js';
import { callbackBadge, empty, kindIcon, kindName, loading, problem } from '../parts.js';
import { againButton, canRepeat, cancelButton, status } from '../status.js';

const PATIENCE = 200; // ms after the last letter of a search

export default function tasks({ search }) {
  const { node, said, table, rows, more, ...controls } = copyOf('tasks');
  const filters = Object.fromEntries(['kind', 'state', 'search'].map((name) => [name, search.get(name) ?? '']));
  const shown = new Map();
  let cursor = null;
  let turn = 0;
  said.append(loading());
  more.addEventListener('click', () => look(true));
  takeFilters(controls, filters, filter);

  async function look(further = false) {
    const mine = (turn += 1);
    let page;
    try {
      page = await get(`/tasks${query({ ...filters, limit: 50, cursor: further ? cursor : '' })}`);
    } catch (error) {
      if (mine === turn) said.replaceChildren(problem(error));
      return;
    }
    if (mine !== turn) return;
    if (!further) shown.clear();
    for (const task of page.tasks) shown.set(task.taskId, task);
    cursor = page.nextCursor;
    more.hidden = cursor === null;
    draw();
  }

  function draw() {
    const list = newest(shown).filter(matches);
    keyed(rows, list, (task) => task.taskId, row);
    table.hidden = list.length === 0;
    const filtered = filters.kind || filters.state || filters.search;
    if (list.length) said.replaceChildren();
    else said.replaceChildren(filtered ? empty(t('tasks.none'), t('tasks.none.hint')) : empty(t('try.empty'), t('try.empty.hint'), h('a', { class: 'button', href: '#/' }, t('nav.try'))));
  }

  /** What the server would find, for tasks of which an event told; it looks into titles and ids. */
  function matches(task) {
    const text = filters.search.toLowerCase();
    return (!filters.kind || task.kind === filters.kind) && (!filters.state || task.state === filters.state)
      && (!text || (task.title ?? '').toLowerCase().includes(text) || task.taskId.includes(text));
  }

  function filter(changed) {
    Object.assign(filters, changed);
    history.replaceState(null, '', `#/tasks${query(filters)}`);
    look();
  }

  const stop = onTask((task) => {
    if (task === null) { look(); return; }
    if (!shown.has(task.taskId) && !matches(task)) return;
    shown.set(task.taskId, task);
    draw();
  });
  look();
  return { title: t('tasks.title'), node, close: stop };
}

function takeFilters({ search, kind, state }, filters, filter) {
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => filter({ search: search.value.trim() }), PATIENCE);
  };
  for (const [name, control] of Object.entries({ search, kind, state })) {
    control.value = filters[name];
    control.addEventListener('input', name === 'search' ? later : () => filter({ [name]: control.value }));
  }
  search.placeholder = t('tasks.search');
}

/** A task's row; a failed one says why. */
function row(task) {
  const shown = status(task);
  const callback = h('td', { data: { label: t('tasks.callback') } });
  const actions = h('td');
  const why = h('p', { class: 'small why' });
  let drawn = '';
  const node = h('tr', {},
    h('td', {}, h('div', { class: 'task-name' }, kindIcon(task.kind),
      h('a', { href: `#/song/${task.taskId}` }, task.title ?? t('untitled')),
      h('span', { class: 'hint' }, kindName(task.kind), ' · ', h('span', { class: 'mono' }, task.taskId.slice(0, 8))))),
    h('td', { class: 'task-state' }, shown.node, why), callback,
    h('td', { data: { label: t('tasks.created') } }, h('time', { class: 'number', title: moment(task.createTime) }, relative(task.createTime))),
    actions);

  function update(now) {
    shown.update(now);
    const look = `${now.state} ${now.callbackState}`;
    if (look === drawn) return;
    drawn = look;
    why.textContent = now.state === 'failed' ? now.errorMessage : '';
    callback.replaceChildren(now.callbackUrl ? h('a', { href: `#/callbacks/task/${now.taskId}` }, callbackBadge(now.callbackState)) : callbackBadge('none'));
    actions.replaceChildren(action(now));
  }

  update(task);
  return { node, update };
}

function action(task) {
  if (!hasEnded(task)) return cancelButton(task);
  if (canRepeat(task)) return againButton(task);
  const name = task.title ?? kindName(task.kind);
  return h('a', { class: 'go', href: `#/song/${task.taskId}`, 'aria-label': t('task.open.of', { name }) }, t('task.open'), icon('more'));
}
