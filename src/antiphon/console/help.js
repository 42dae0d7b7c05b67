/** The keys that work, in a dialog; the keys themselves are listened to where they act. */

import { copyOf } from './dom.js';

const PLACES = { t: '#/', a: '#/tasks', c: '#/callbacks', s: '#/setup' };

/** Whether a key belongs to what has the focus, and is none of our shortcuts. */
export function isTyping(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.('input:not([type=checkbox], [type=radio], [type=range]), textarea, select, dialog, video');
}

export function openHelp() {
  const { node, close } = copyOf('help');
  close.addEventListener('click', () => node.close());
  node.addEventListener('close', () => node.remove());
  document.body.append(node);
  node.showModal();
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
