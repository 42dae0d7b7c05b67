/** Webhook keys: which sign now, and a new one. */

import { get, post } from '../api.js';
import { button, h } from '../dom.js';
import { moment, t } from '../i18n.js';
import { confirm, loading, problem, tellSecret } from '../parts.js';

export function webhookKeys() {
  const list = h('div', {}, loading());
  const said = h('div', { 'aria-live': 'polite' });

  async function look() {
    try {
      const { keys } = await get('/webhook-keys');
      list.replaceChildren(table(keys));
    } catch (error) {
      list.replaceChildren(problem(error));
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
  return {
    node: h('div', { class: 'stack' },
      h('p', { class: 'lede' }, t('webhooks.lede')),
      h('div', { class: 'row' }, button(t('webhooks.rotate'), { icon: 'again', kind: 'primary', on: { click: rotate } })),
      said, list),
  };
}

function table(keys) {
  const state = ({ expireTime }) => {
    if (!expireTime) return t('webhooks.current');
    return t(expireTime > Date.now() ? 'webhooks.until' : 'webhooks.ended', { when: moment(expireTime) });
  };
  return h('table', { class: 'table' },
    h('thead', {}, h('tr', {}, ['id', 'created', 'state'].map((name) => h('th', { scope: 'col' }, t(`keys.${name}`))))),
    h('tbody', {}, keys.map((key) => h('tr', {},
      h('td', {}, `#${key.id}`),
      h('td', { data: { label: t('keys.created') } }, moment(key.createTime)),
      h('td', { data: { label: t('keys.state') } }, state(key))))));
}
