/** How to receive from this server, ready to be copied. */

import { button, h } from '../dom.js';
import { t } from '../i18n.js';
import { codeBlock } from '../parts.js';
import { SNIPPETS } from './snippets.js';

const KEPT = 'antiphon.snippet';

export function receive() {
  const names = Object.keys(SNIPPETS);
  let chosen = localStorage.getItem(KEPT) ?? names[0];
  const choice = h('div', { class: 'languages', role: 'group', 'aria-label': t('receive.language') });
  const shown = h('div', { class: 'stack' });

  function draw() {
    const snippet = SNIPPETS[chosen] ?? SNIPPETS[names[0]];
    choice.replaceChildren(...names.map((name) => button(SNIPPETS[name].title, {
      kind: 'small', 'aria-pressed': String(SNIPPETS[name] === snippet), data: { name }, on: { click: () => choose(name) },
    })));
    shown.replaceChildren(h('p', {}, t(snippet.how)), codeBlock(snippet.text(location.origin), { label: t('receive.copy', { language: snippet.title }) }));
  }

  function choose(name) {
    chosen = name;
    localStorage.setItem(KEPT, name);
    draw();
    choice.querySelector(`[data-name="${name}"]`).focus();
  }

  draw();
  return {
    node: h('div', { class: 'stack receive' },
      h('p', { class: 'lede' }, t('receive.lede')),
      choice, shown,
      h('h2', { class: 'section' }, t('receive.rules')),
      h('ul', { class: 'rules' }, ['quick', 'twice', 'verify', 'retries'].map((rule) => h('li', {}, t(`receive.rule.${rule}`)))),
      h('h2', { class: 'section' }, t('receive.local')),
      h('p', {}, t('receive.local.how')),
      codeBlock(`antiphon listen --server ${location.origin} \\\n  --api-key "$KEY" --forward-to http://localhost:3000/callback`)),
  };
}
