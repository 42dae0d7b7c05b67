/** Webhook keys: which sign now, and a new one. */

import { get, post } from '../api.js';
import { copyOf, h } from '../dom.js';
import { moment, t } from '../i18n.js';
import { confirm, problem, tellSecret } from '../parts.js';

export function webhookKeys() {
  const { node, said, table, rows, ...page } = copyOf('webhook-keys');
  page.rotate.addEventListener('click', rotate);

  async function look() {
    try {
      const { keys } = await get('/webhook-keys');
      rows.replaceChildren(...keys.map(row));
      table.hidden = false;
    } catch (error) {
      said.replaceChildren(problem(error));
    }
  }

  async function rotate() {
    if (!await confirm(t('webhooks.rotate.sure'), t('webhooks.rotate.hint'), t('webhooks.rotate'))) return;
    try {
      const made = await post('/webhook-keys/rotate');
      tellSecret(t('webhooks.made'), made.key, t('webhooks.once'));
      look();
    } catch (error) {
      said.replaceChildren(problem(error));
    }
  }

  look();
  return { node };
}

function row(key) {
  return h('tr', {},
    h('td', {}, `#${key.id}`),
    h('td', { data: { label: t('keys.created') } }, moment(key.createTime)),
    h('td', { data: { label: t('keys.state') } }, stateOf(key)));
}

function stateOf({ expireTime }) {
  if (!expireTime) return t('webhooks.current');
  return t(expireTime > Date.now() ? 'webhooks.until' : 'webhooks.ended', { when: moment(expireTime) });
}
