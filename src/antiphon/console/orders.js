/** What to make of a song: the choices, the requests, and what has to wait. */

import { post } from './api.js';
import { copyOf, notify } from './dom.js';
import { hasEnded, until } from './live.js';

const PLANS = 'antiphon.plans'; // MIDI waits for its stems, also when the page is closed meanwhile
const CALLBACK = 'antiphon.callback';

/** The form part in which one chooses; `separation` is the id of stems that are there already. `read()` tells the choice. */
export function choices({ chosen = true, separation = '' } = {}) {
  const { node, announce, ...inputs } = copyOf('choices');
  const { stems, midi, video, type, callback } = inputs;
  stems.checked = midi.checked = video.checked = chosen;
  callback.value = localStorage.getItem(CALLBACK) ?? '';
  announce.open = callback.value !== '';
  if (!separation) { // MIDI is written from stems
    midi.addEventListener('change', () => { if (midi.checked) stems.checked = true; });
    stems.addEventListener('change', () => { if (!stems.checked) midi.checked = false; });
  }
  const texts = (...names) => Object.fromEntries(names.map((name) => [name, inputs[name].value.trim()]));
  const shown = () => ({ ...texts('author', 'domainName', 'theme', 'aspect', 'resolution'), fps: +inputs.fps.value });
  return {
    node,
    read: () => ({
      stems: stems.checked ? type.value : '', midi: midi.checked, video: video.checked && shown(), separation,
      ...texts('quantize', 'callback'),
    }),
  };
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
  if (wanted.video) await post('/mp4/generate', given({ taskId, audioId, ...wanted.video, callBackUrl }));
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
    if ([0, 401, 429, 430, 455].includes(error.code)) return; // at the next visit
    notify(error.message, 'bad');
  }
  keep(plans().filter((one) => one.separation !== wanted.separation));
}

/** MIDI of a finished separation. */
export function orderMidi(taskId, { quantize, callBackUrl }, idempotencyKey) {
  return post('/midi/generate', given({ taskId, quantize, callBackUrl }), { idempotencyKey });
}

/** The same task once more, as `task` was asked for. */
export async function repeat(task) {
  const { type, quantize, title, ...shown } = task.parameters ?? {};
  const common = { taskId: task.sourceTaskId, callBackUrl: task.callbackUrl };
  const requests = {
    separation: ['/vocal-removal/generate', { ...common, audioId: task.audioId, type }],
    midi: ['/midi/generate', { ...common, audioId: task.audioId, quantize }],
    video: ['/mp4/generate', { ...common, audioId: task.audioId, ...shown }],
  };
  const [path, body] = requests[task.kind];
  return post(path, body);
}
