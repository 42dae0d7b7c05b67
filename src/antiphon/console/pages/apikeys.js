/** API keys: who may call, make one, end one. */

import { get, post, remove } from '../api.js';
import { button, copyOf, h, notify } from '../dom.js';
import { moment, t } from '../i18n.js';
import { confirm, problem, tellSecret } from '../parts.js';

export function apiKeys(session) {
  const { node, form, name, admin, said, table, rows } = copyOf('api-keys');
  form.addEventListener('submit', create);

  async function look() {
    try {
      const { keys } = await get('/keys');
      rows.replaceChildren(...keys.map(row));
      table.hidden = false;
    } catch (error) {
      said.replaceChildren(problem(error));
    }
  }

  async function create(event) {
    event.preventDefault();
    try {
      const made = await post('/keys', { name: name.value.trim(), admin: admin.checked });
      said.replaceChildren();
      event.target.reset();
      tellSecret(t('keys.made', { name: made.name }), made.key, t('keys.once'));
      look();
    } catch (error) {
      said.replaceChildren(problem(error));
    }
  }

  async function revoke(key) {
    const own = key.id === session.keyId;
    if (!await confirm(t('keys.revoke.sure', { name: key.name }), t(own ? 'keys.revoke.own' : 'keys.revoke.hint'), t('keys.revoke'))) return;
    try {
      await remove(`/keys/${key.id}`);
      notify(t('keys.revoked', { name: key.name }));
      look();
    } catch (error) {
      notify(error.message, 'bad');
    }
  }

  function row(key) {
    return h('tr', {},
      h('td', {}, h('strong', {}, key.name), key.id === session.keyId && h('span', { class: 'hint' }, ` · ${t('keys.yours')}`)),
      h('td', { data: { label: t('keys.rights') } }, t(key.admin ? 'keys.admin' : 'keys.user')),
      h('td', { data: { label: t('keys.created') } }, moment(key.createTime)),
      h('td', { data: { label: t('keys.state') } }, key.revokeTime ? t('keys.revoked.at', { when: moment(key.revokeTime) }) : t('keys.valid')),
      h('td', {}, !key.revokeTime && button(t('keys.revoke'), { kind: 'small danger', label: t('keys.revoke.sure', { name: key.name }), on: { click: () => revoke(key) } })));
  }

  look();
  return { node };
}
