/** Whether a signature holds, and if not, which part does not. */

import { post } from '../api.js';
import { copyOf, h, icon } from '../dom.js';
import { t } from '../i18n.js';
import { problem } from '../parts.js';

const BADGES = { valid: 'succeeded', invalid: 'failed', absent: 'cancelled' };
const ICONS = { right: 'check', wrong: 'cross', missing: 'cross', unchecked: 'minus' };

export function checker() {
  const { node, form, headers, body, key, verdict, go } = copyOf('checker');
  form.addEventListener('submit', look);

  async function look(event) {
    event.preventDefault();
    go.disabled = true;
    try {
      const found = await post('/callbacks/check', { headers: headers.value, body: body.value, ...(key.value.trim() && { key: key.value.trim() }) });
      verdict.replaceChildren(...found.schemes.map(scheme));
    } catch (error) {
      verdict.replaceChildren(problem(error));
    } finally {
      go.disabled = false;
    }
  }

  return { node };
}

function scheme({ scheme: name, verdict, parts }) {
  return h('section', { class: 'sheet' },
    h('div', { class: 'row spread' }, h('h3', {}, t(`check.${name}`)),
      h('span', { class: 'badge', data: { state: BADGES[verdict] } }, icon(verdict === 'valid' ? 'check' : 'alert'), t(`check.${verdict}`))),
    h('ul', { class: 'checks' }, parts.map((part) => h('li', { data: { state: part.state } },
      icon(ICONS[part.state]), h('span', {}, h('strong', { class: 'mono' }, part.name), part.message && ` ${part.message}`)))));
}
