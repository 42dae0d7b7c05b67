/** Samples of callbacks, posted once to any URL: does the receiver take them? */

import { post } from '../api.js';
import { copyOf, h } from '../dom.js';
import { t } from '../i18n.js';
import { kindName, problem } from '../parts.js';
import { attemptLine } from './attempts.js';

export function trial() {
  const { node, form, url, send, results } = copyOf('trial');
  url.value = localStorage.getItem('antiphon.callback') ?? '';
  form.addEventListener('submit', start);

  async function start(event) {
    event.preventDefault();
    send.disabled = true;
    results.replaceChildren(h('p', { class: 'hint' }, t('trial.sending')));
    try {
      const wanted = [...form.querySelectorAll(':checked')].map((box) => box.value);
      const { trials } = await post('/callbacks/test', { callBackUrl: url.value, kinds: wanted.length ? wanted : null });
      results.replaceChildren(...outcome(trials));
    } catch (error) {
      results.replaceChildren(problem(error));
    } finally {
      send.disabled = false;
    }
  }

  return { node };
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
