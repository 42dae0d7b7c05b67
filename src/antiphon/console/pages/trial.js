/** Samples of callbacks, posted once to any URL: does the receiver take them? */

import { post } from '../api.js';
import { button, h } from '../dom.js';
import { t } from '../i18n.js';
import { field, kindName, problem } from '../parts.js';
import { attemptLine } from './attempts.js';

const KINDS = ['separation', 'midi', 'video'];

export function trial() {
  const url = h('input', { type: 'url', name: 'url', required: true, value: localStorage.getItem('antiphon.callback') ?? '', placeholder: 'https://you.example/callback' });
  const kinds = KINDS.map((kind) => h('input', { type: 'checkbox', value: kind, checked: true }));
  const send = button(t('trial.send'), { kind: 'primary', type: 'submit' });
  const results = h('div', { class: 'delivery', 'aria-live': 'polite' });

  async function start(event) {
    event.preventDefault();
    send.disabled = true;
    results.replaceChildren(h('p', { class: 'hint' }, t('trial.sending')));
    try {
      const wanted = kinds.filter((box) => box.checked).map((box) => box.value);
      const { trials } = await post('/callbacks/test', { callBackUrl: url.value, kinds: wanted.length ? wanted : null });
      results.replaceChildren(...outcome(trials));
    } catch (error) {
      results.replaceChildren(problem(error));
    } finally {
      send.disabled = false;
    }
  }

  return {
    node: h('div', {},
      h('p', { class: 'lede' }, t('trial.lede')),
      h('form', { class: 'stack delivery', on: { submit: start } },
        field(t('trial.url'), url),
        h('div', { class: 'row spread' },
          h('div', { class: 'row', role: 'group', 'aria-label': t('tasks.kind') }, kinds.map((box) => h('label', { class: 'check-line' }, box, kindName(box.value)))),
          send)),
      results),
  };
}

function outcome(trials) {
  const good = trials.filter((one) => one.acknowledged).length;
  const longest = Math.max(1, ...trials.map((one) => one.milliseconds));
  return [
    h('p', { class: good === trials.length ? 'remark good' : 'remark' }, t('trial.outcome', { good, all: trials.length })),
    h('ol', { class: 'attempts' }, trials.map((one) => attemptLine(one, longest, {
      name: `${kindName(one.kind)}, ${t(`trial.${one.outcome}`)}`, good: one.acknowledged, open: !one.acknowledged,
    }))),
  ];
}
