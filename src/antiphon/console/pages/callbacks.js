/** What was announced: for a task, by a test to any URL; and whether a signature holds. */

import { h } from '../dom.js';
import { t } from '../i18n.js';
import { tabs } from '../parts.js';
import { checker } from './checker.js';
import { announced, deliveriesOf } from './deliveries.js';
import { trial } from './trial.js';

const PARTS = { '': announced, task: ([id]) => deliveriesOf(id), test: trial, check: checker };

export default function callbacks({ rest: [name = '', ...rest] }) {
  const part = (PARTS[name] ?? announced)(rest);
  return {
    title: t('callbacks.title'),
    node: h('div', {},
      h('div', { class: 'head' }, h('h1', {}, t('callbacks.title')), h('p', { class: 'lede' }, t('callbacks.lede'))),
      tabs(t('callbacks.title'), [
        ['#/callbacks', t('callbacks.sent'), ''],
        ['#/callbacks/test', t('callbacks.test'), 'test'],
        ['#/callbacks/check', t('callbacks.check'), 'check'],
      ], name === 'task' ? '' : name),
      part.node),
    close: part.close,
  };
}
