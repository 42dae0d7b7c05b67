/** Whether a signature holds, and if not, which part does not. */

import { post } from '../api.js';
import { copyOf, h, icon } from '../dom.js';
import { t } from '../i18n.js';
import { problem } from '../parts.js';

const SCHEMES = ['standard', 'documented'];

export function checker() {
  const { node, form, headers, body, key, verdict, go } = copyOf('checker');
  form.addEventListener('submit', look);

  async function look(event) {
    event.preventDefault();
    go.disabled = true;
    try {
      const found = await post('/callbacks/check', { headers: headers.value, body: body.value, ...(key.value.trim() && { key: key.value.trim() }) });
      verdict.replaceChildren(...SCHEMES.map((name) => scheme(name, found[name])));
    } catch (error) {
      verdict.replaceChildren(problem(error));
    } finally {
      go.disabled = false;
    }
  }

  return { node };
}

function scheme(name, found) {
  if (!found) return null;
  return h('div', {},
    h('div', { class: 'row spread' }, h('h3', {}, t(`check.${name}`)),
      h('span', { class: 'badge', data: { state: found.valid ? 'succeeded' : 'failed' } }, icon(found.valid ? 'check' : 'alert'), t(found.valid ? 'check.valid' : 'check.invalid'))),
    h('ul', { class: 'checks' }, (found.parts ?? []).map((part) => h('li', { data: { ok: part.ok } },
      icon(part.ok ? 'check' : 'cross'), h('span', {}, part.message)))));
}
