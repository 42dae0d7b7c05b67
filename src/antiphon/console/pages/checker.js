/** Whether a signature holds, and if not, which part does not. */

import { post } from '../api.js';
import { button, h, icon } from '../dom.js';
import { t } from '../i18n.js';
import { field, problem } from '../parts.js';

const SCHEMES = ['standard', 'documented'];

export function checker() {
  const headers = h('textarea', { class: 'mono', name: 'headers', required: true, spellcheck: 'false', placeholder: 'webhook-id: msg_…\nwebhook-timestamp: 1795246801\nwebhook-signature: v1,…' });
  const body = h('textarea', { class: 'mono', name: 'body', spellcheck: 'false', placeholder: '{"code": 200, …}' });
  const key = h('input', { type: 'text', name: 'key', autocomplete: 'off', spellcheck: 'false', placeholder: 'whsec_…' });
  const verdict = h('div', { class: 'verdict', 'aria-live': 'polite' });
  const check = button(t('check.go'), { kind: 'primary', type: 'submit' });

  async function look(event) {
    event.preventDefault();
    check.disabled = true;
    try {
      const found = await post('/callbacks/check', { headers: headers.value, body: body.value, ...(key.value.trim() && { key: key.value.trim() }) });
      verdict.replaceChildren(...SCHEMES.map((name) => scheme(name, found[name])));
    } catch (error) {
      verdict.replaceChildren(problem(error));
    } finally {
      check.disabled = false;
    }
  }

  return {
    node: h('div', {},
      h('p', { class: 'lede' }, t('check.lede')),
      h('form', { class: 'stack delivery', on: { submit: look } },
        field(t('check.headers'), headers), field(t('check.body'), body, t('check.body.hint')), field(t('check.key'), key, t('check.key.hint')),
        h('div', {}, check)),
      verdict),
  };
}

function scheme(name, found) {
  if (!found) return null;
  return h('div', {},
    h('div', { class: 'row spread' }, h('h3', {}, t(`check.${name}`)),
      h('span', { class: 'badge', data: { state: found.valid ? 'succeeded' : 'failed' } }, icon(found.valid ? 'check' : 'alert'), t(found.valid ? 'check.valid' : 'check.invalid'))),
    h('ul', { class: 'checks' }, (found.parts ?? []).map((part) => h('li', { data: { ok: part.ok } },
      icon(part.ok ? 'check' : 'cross'), h('span', {}, part.message)))));
}
