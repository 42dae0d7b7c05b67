/** What to make of a song: the choices, the requests, and what must wait for something else to be finished. */

import { post } from './api.js';
import { h } from './dom.js';
import { t } from './i18n.js';
import { hasEnded, until } from './live.js';
import { field } from './parts.js';

const PLANS = 'antiphon.plans'; // MIDI waits for its stems, also when the page is closed meanwhile
const CALLBACK = 'antiphon.callback';

/**
 * The form part in which one chooses; `separation` is the id of stems that are there already.
 * @returns {{node: HTMLElement, read: () => object}} `read` gives `stems` ('' for none), `midi`, `quantize`, `video`,
 *   `author`, `domain`, `callback`
 */
export function choices({ stems = true, midi = true, video = true, separation = '' } = {}) {
  const kept = localStorage.getItem(CALLBACK) ?? '';
  const inputs = {
    stems: h('input', { type: 'checkbox', name: 'stems', checked: stems }),
    midi: h('input', { type: 'checkbox', name: 'midi', checked: midi }),
    video: h('input', { type: 'checkbox', name: 'video', checked: video }),
    type: h('select', { name: 'type' },
      h('option', { value: 'split_stem' }, t('make.split_stem')), h('option', { value: 'separate_vocal' }, t('make.separate_vocal'))),
    quantize: h('select', { name: 'quantize' },
      h('option', { value: '' }, t('make.as-played')), ['1/4', '1/8', '1/8T', '1/16', '1/16T', '1/32'].map((grid) => h('option', { value: grid }, grid))),
    author: h('input', { type: 'text', name: 'video-author', maxlength: '50' }),
    domain: h('input', { type: 'text', name: 'domain', maxlength: '50', placeholder: 'music.example.com' }),
    callback: h('input', { type: 'url', name: 'callback', maxlength: '2048', value: kept, placeholder: 'https://you.example/callback' }),
  };
  if (!separation) { // MIDI is written from stems
    inputs.midi.addEventListener('change', () => { if (inputs.midi.checked) inputs.stems.checked = true; });
    inputs.stems.addEventListener('change', () => { if (!inputs.stems.checked) inputs.midi.checked = false; });
  }
  const node = h('fieldset', { class: 'choices' }, h('legend', {}, t('make.title')),
    choice(inputs.stems, t('make.stems'), t('make.stems.what'), field(t('make.type'), inputs.type)),
    choice(inputs.midi, t('make.midi'), t('make.midi.what'), field(t('make.quantize'), inputs.quantize)),
    choice(inputs.video, t('make.video'), t('make.video.what'),
      h('div', { class: 'pair' }, field(t('make.author'), inputs.author), field(t('make.domain'), inputs.domain))),
    h('details', { open: kept !== '' }, h('summary', {}, t('make.callback')), field(t('make.callback.url'), inputs.callback, t('make.callback.hint'))));
  return {
    node,
    read: () => ({
      stems: inputs.stems.checked ? inputs.type.value : '',
      midi: inputs.midi.checked,
      quantize: inputs.quantize.value,
      video: inputs.video.checked,
      author: inputs.author.value.trim(),
      domain: inputs.domain.value.trim(),
      callback: inputs.callback.value.trim(),
      separation,
    }),
  };
}

function choice(box, title, what, more) {
  return h('div', { class: 'choice' },
    h('label', {}, box, h('span', {}, h('strong', {}, title), h('span', { class: 'hint' }, what))),
    h('div', { class: 'more' }, more));
}

const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value));

/** Ask for everything wanted of the song `taskId`, `audioId`. */
export async function order({ taskId, audioId }, wanted) {
  localStorage.setItem(CALLBACK, wanted.callback);
  const callBackUrl = wanted.callback;
  if (wanted.stems) {
    const separation = await post('/vocal-removal/generate', given({ taskId, audioId, type: wanted.stems, callBackUrl }));
    if (wanted.midi) plan({ separation: separation.taskId, quantize: wanted.quantize, callBackUrl });
  } else if (wanted.midi) {
    await orderMidi(wanted.separation, { quantize: wanted.quantize, callBackUrl });
  }
  if (wanted.video) {
    await post('/mp4/generate', given({ taskId, audioId, author: wanted.author, domainName: wanted.domain, callBackUrl }));
  }
}

const plans = () => JSON.parse(localStorage.getItem(PLANS) ?? '[]');
const keep = (list) => localStorage.setItem(PLANS, JSON.stringify(list));

/** MIDI as soon as the separation has succeeded. */
export function plan(wanted) {
  keep([...plans().filter((one) => one.separation !== wanted.separation), wanted]);
  follow(wanted);
}

/** Whether MIDI waits for this separation. */
export const isPlanned = (separation) => plans().some((one) => one.separation === separation);

/** Go on with what an earlier visit left waiting. */
export function resumePlans() {
  for (const wanted of plans()) follow(wanted);
}

async function follow(wanted) {
  try {
    const separation = await until(wanted.separation, hasEnded);
    // Two windows may see it at once: the key makes one task of it.
    if (separation.state === 'succeeded') await orderMidi(wanted.separation, wanted, `console-midi-${wanted.separation}`);
  } catch (error) {
    if (error.code === 0 || error.code === 401 || error.code === 430) return; // at the next visit
    console.warn('MIDI of', wanted.separation, error.message);
  }
  keep(plans().filter((one) => one.separation !== wanted.separation));
}

/** MIDI of a finished separation. */
export function orderMidi(taskId, { quantize, callBackUrl }, idempotencyKey) {
  return post('/midi/generate', given({ taskId, quantize, callBackUrl }), { idempotencyKey });
}

/** The same task once more, as `task` (with its parameters) was asked for. */
export async function repeat(task) {
  const { type, quantize, author, domainName } = task.parameters ?? {};
  const common = { taskId: task.sourceTaskId, callBackUrl: task.callbackUrl };
  const requests = {
    separation: ['/vocal-removal/generate', { ...common, audioId: task.audioId, type }],
    midi: ['/midi/generate', { ...common, audioId: task.audioId, quantize }],
    video: ['/mp4/generate', { ...common, audioId: task.audioId, author, domainName }],
  };
  const [path, body] = requests[task.kind];
  return post(path, given(body));
}
