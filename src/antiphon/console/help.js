/** The keys that work, in a dialog; the keys themselves are listened to where they act. */

import { button, h } from './dom.js';
import { t } from './i18n.js';

const GROUPS = [
  ['help.everywhere', [['?', 'help.this'], ['g t', 'help.go.try'], ['g a', 'help.go.tasks'], ['g c', 'help.go.callbacks'], ['g s', 'help.go.setup'], ['/', 'help.search']]],
  ['help.song', [['Space', 'help.play'], ['← →', 'help.seek'], ['Home', 'help.start'], ['1 … 9', 'help.solo'], ['⇧ 1 … 9', 'help.mute'], ['+ −', 'help.zoom'], ['↑ ↓', 'help.scroll']]],
];
const PLACES = { t: '#/', a: '#/tasks', c: '#/callbacks', s: '#/setup' };

/** Whether a key belongs to what has the focus, and is none of our shortcuts. */
export function isTyping(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.('input:not([type=checkbox], [type=radio], [type=range]), textarea, select, dialog, video');
}

export function openHelp() {
  const dialog = h('dialog', { class: 'sheet help', 'aria-label': t('help.title'), on: { close: () => dialog.remove() } },
    h('div', { class: 'row spread' }, h('h2', {}, t('help.title')),
      button('', { icon: 'cross', kind: 'quiet', label: t('close'), on: { click: () => dialog.close() } })),
    GROUPS.map(([title, keys]) => [
      h('h3', {}, t(title)),
      h('dl', { class: 'keys' }, keys.map(([key, words]) => h('div', {},
        h('dt', {}, key.split(' ').map((one) => (one === '…' ? ' … ' : h('kbd', {}, one)))), h('dd', {}, t(words))))),
    ]));
  document.body.append(dialog);
  dialog.showModal();
}

let pending = false; // a "g" waits for its second letter

/** Listen for the keys that work everywhere. */
export function listenForKeys(signedIn) {
  addEventListener('keydown', (event) => {
    if (isTyping(event)) return;
    const going = pending;
    pending = false;
    if (event.key === '?') openHelp();
    else if (!signedIn()) return;
    else if (going && PLACES[event.key]) location.hash = PLACES[event.key];
    else if (event.key === 'g') pending = true;
    else if (event.key === '/') {
      const search = document.querySelector('[type=search]');
      if (!search) return;
      event.preventDefault();
      search.focus();
    }
  });
}
