/** How to receive from this server, ready to be copied. */

import { button, copyOf, h } from '../dom.js';
import { t } from '../i18n.js';
import { codeBlock } from '../parts.js';

const SNIPPETS = {
  library: ['antiphon.receiver', 'library.py'],
  python: ['Python', 'receive.py'],
  node: ['Node.js', 'receive.mjs'],
  php: ['PHP', 'receive.php'],
  curl: ['curl', 'receive.sh'],
};
const OURS = 'http://this.server'; // stands in the files for this server's address
const KEPT = 'antiphon.snippet';

export function receive() {
  const names = Object.keys(SNIPPETS);
  let chosen = localStorage.getItem(KEPT) ?? names[0];
  const { node, choice, shown, listen } = copyOf('receive');

  async function draw() {
    const [title, file] = SNIPPETS[chosen] ?? SNIPPETS[(chosen = names[0])];
    choice.replaceChildren(...names.map((name) => button(SNIPPETS[name][0], {
      kind: 'small', 'aria-pressed': String(name === chosen), data: { name }, on: { click: () => choose(name) },
    })));
    const text = await (await fetch(`/console/snippets/${file}.txt`)).text();
    shown.replaceChildren(h('p', {}, t(`receive.how.${chosen}`)), codeBlock(text.replaceAll(OURS, location.origin), { label: t('receive.copy', { language: title }) }));
  }

  function choose(name) {
    chosen = name;
    localStorage.setItem(KEPT, name);
    draw();
    choice.querySelector(`[data-name="${name}"]`).focus();
  }

  draw();
  listen.append(codeBlock(`antiphon listen --server ${location.origin} \\\n  --api-key "$KEY" --forward-to http://localhost:3000/callback`));
  return { node };
}
