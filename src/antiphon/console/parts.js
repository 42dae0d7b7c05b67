/** Parts that several pages share: states, progress, problems, dialogs. */

import { button, h, icon, copy } from './dom.js';
import { named, percent, t } from './i18n.js';

const STATE_ICONS = { queued: 'clock', running: 'again', succeeded: 'check', failed: 'alert', cancelled: 'stop' };

/** A task's state: never by colour alone. */
export function stateBadge(state) {
  return h('span', { class: 'badge', data: { state } }, icon(STATE_ICONS[state] ?? 'clock'), t(`state.${state}`));
}

export function callbackBadge(state) {
  if (state === 'none') return h('span', { class: 'quiet' }, '–');
  const like = { pending: 'queued', delivered: 'succeeded', stopped: 'failed' }[state];
  return h('span', { class: 'badge', data: { state: like } }, icon(STATE_ICONS[like]), t(`callback.${state}`));
}

export const kindName = (kind) => t(`kind.${kind}`);

const KIND_ICONS = { upload: 'note', separation: 'stems', midi: 'midi', video: 'video' };
export const kindIcon = (kind) => icon(KIND_ICONS[kind] ?? 'file');

/** A bar that tells its fraction; `set(fraction)` moves it. */
export function progressBar(label) {
  const node = h('div', { class: 'progress', role: 'progressbar', 'aria-label': label, 'aria-valuemin': '0', 'aria-valuemax': '100' });
  return {
    node,
    set(fraction) {
      node.style.setProperty('--done', fraction);
      node.ariaValueNow = Math.round(fraction * 100);
      node.ariaValueText = percent(fraction);
    },
  };
}

/** An error as a block: what happened, and what helps. */
export function problem(error) {
  const head = error.code === 0 ? t('error.offline') : named(`error.${error.code}`, t('error.any'));
  const details = error.code === 0 ? null : error.message;
  return h('div', { class: 'problem', role: 'alert' }, icon('alert'), h('div', {}, h('strong', {}, head), details && h('p', {}, details)));
}

/** Text to be copied, shown in full. */
export function codeBlock(text, { label = t('copy'), wrap = false } = {}) {
  return h('div', { class: 'code' },
    h('pre', { class: wrap && 'wrap', tabindex: '0' }, h('code', {}, text)),
    button('', { icon: 'copy', kind: 'quiet', label, on: { click: () => copy(text, t('copied')) } }));
}

/** A dialog with `answers`, [value, words, kind] each; resolves to the value chosen, '' if left. */
function ask(title, content, answers) {
  return new Promise((resolve) => {
    const dialog = h('dialog', { class: 'sheet', 'aria-label': title, on: { close: () => { dialog.remove(); resolve(dialog.returnValue); } } },
      h('h2', {}, title), content,
      // Removed at once: the close event comes later, and until then a secret would stand in the page.
      h('div', { class: 'row end' }, answers.map(([value, words, kind]) => button(words, { kind, on: { click: () => { dialog.close(value); dialog.remove(); } } }))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Ask before what cannot be undone; whether it was wanted. */
export async function confirm(question, details, action) {
  return await ask(question, h('p', {}, details), [['', t('cancel')], ['yes', action, 'danger']]) === 'yes';
}

/** Show a secret that the server tells this once. */
export const tellSecret = (title, secret, hint) =>
  ask(title, [h('p', {}, hint), codeBlock(secret, { wrap: true })], [['', t('secret.kept'), 'primary']]);

/** The row of links between the parts of a page. */
export function tabs(label, entries, current) {
  return h('nav', { class: 'tabs', 'aria-label': label }, entries.map(([href, words, name]) =>
    h('a', { href, 'aria-current': name === current ? 'page' : null }, words)));
}

/** What stands where nothing is yet. */
export function empty(title, text, ...more) {
  return h('div', { class: 'empty' }, h('h2', {}, title), h('p', {}, text), ...more);
}

/** Placeholder while something loads, only seen when that takes long. */
export const loading = () => h('p', { class: 'loading', role: 'status' }, t('loading'));
