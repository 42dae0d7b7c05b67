/** The only page without a session: it takes an API key. */

import { signIn } from '../api.js';
import { button, h } from '../dom.js';
import { t } from '../i18n.js';
import { problem } from '../parts.js';

export default function signin({ signedIn }) {
  const said = h('div', { 'aria-live': 'assertive' });
  const key = h('input', {
    id: 'key', name: 'key', type: 'password', required: true, autocomplete: 'current-password',
    spellcheck: 'false', autocapitalize: 'none', placeholder: 'ak_…', 'aria-describedby': 'key-hint',
  });
  const enter = button(t('signin.enter'), { kind: 'primary wide', type: 'submit' });
  const form = h('form', { class: 'stack', on: { submit: take } },
    h('label', { for: 'key' }, t('signin.key')), key,
    h('p', { class: 'hint', id: 'key-hint' }, t('signin.hint')),
    said, enter);

  async function take(event) {
    event.preventDefault();
    enter.disabled = true;
    try {
      await signedIn(await signIn(key.value.trim()));
    } catch (error) {
      said.replaceChildren(problem(error));
      key.select();
      key.focus();
    } finally {
      enter.disabled = false;
    }
  }

  return {
    title: t('signin.title'),
    node: h('section', { class: 'signin' },
      h('h1', {}, t('signin.title')),
      h('p', { class: 'lede' }, t('signin.lede')),
      form,
      h('details', {}, h('summary', {}, t('signin.lost')), h('p', { class: 'hint' }, t('signin.lost.how')), h('pre', { tabindex: '0' }, 'antiphon keys create NAME'))),
  };
}
