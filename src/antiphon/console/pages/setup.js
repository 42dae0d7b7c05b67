/** The server itself: how to receive from it, its keys, its health. */

import { h } from '../dom.js';
import { t } from '../i18n.js';
import { empty, tabs } from '../parts.js';
import { apiKeys } from './apikeys.js';
import { receive } from './receive.js';
import { system } from './system.js';
import { webhookKeys } from './webhookkeys.js';

const PARTS = { receive, keys: apiKeys, webhooks: webhookKeys, system };

export default function setup({ rest: [name = 'receive'], session }) {
  const shown = name in PARTS ? name : 'receive';
  const allowed = shown === 'receive' || session.admin;
  const part = allowed ? PARTS[shown](session) : { node: empty(t('setup.admins'), t('setup.admins.hint')) };
  return {
    title: t('setup.title'),
    node: h('div', {},
      h('div', { class: 'head' }, h('h1', {}, t('setup.title'))),
      tabs(t('setup.title'), Object.keys(PARTS).map((one) => [`#/setup/${one}`, t(`setup.${one}`), one]), shown),
      part.node),
    close: part.close,
  };
}
