/** The notes of the MIDI: seen as a piano roll, heard with simple synthesis. */

import { get } from '../api.js';
import { copyOf, h } from '../dom.js';
import { number, t } from '../i18n.js';
import { problem } from '../parts.js';
import { readInstruments } from './instruments.js';
import { mixerRow } from './mixer.js';
import { Roll } from './roll.js';
import { Synth } from './synth.js';

const ZOOM = 1.6;
const FOLLOW_AFTER = 2500; // ms after the last scroll by hand

export function notes(player) {
  const { node, box, canvas, space, legend, said, voice, choice, ...zoom } = copyOf('notes');
  const roll = new Roll({ box, canvas, space, duration: player.duration, laneName: (lane) => t(`lane.${lane}`) });
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let synth = null;
  let shown = null;
  let byHand = 0;

  choice.addEventListener('change', () => show(choice.value));
  zoom.out.addEventListener('click', () => roll.zoomBy(1 / ZOOM));
  zoom.in.addEventListener('click', () => roll.zoomBy(ZOOM));
  for (const event of ['wheel', 'touchmove', 'pointerdown', 'keydown']) box.addEventListener(event, () => { byHand = performance.now(); }, { passive: true });
  box.addEventListener('click', (event) => {
    const moment = roll.momentAt(event.clientX - box.getBoundingClientRect().left);
    if (moment >= 0) player.seek(moment);
  });

  async function show(taskId) {
    shown = taskId;
    try {
      const { midiData } = await get(`/midi/record-info?taskId=${taskId}`);
      if (shown !== taskId) return;
      const instruments = readInstruments(midiData);
      said.replaceChildren(...(instruments.length ? [] : [h('p', { class: 'remark' }, t('notes.none'))]));
      box.hidden = voice.hidden = !instruments.length;
      listen(instruments);
      roll.show(instruments);
      legend.replaceChildren(...instruments.map(instrumentButton));
    } catch (error) {
      said.replaceChildren(problem(error));
    }
  }

  function listen(instruments) {
    if (synth) {
      synth.instruments = instruments;
      player.refreshVoices();
      return;
    }
    synth = Object.assign(new Synth(instruments), { name: t('notes.voice'), hue: 'brass' });
    player.addVoice(synth);
    const row = mixerRow(player, synth);
    row.node.append(h('span', { class: 'hint' }, t('notes.voice.hint')));
    voice.replaceChildren(row.node);
    player.addEventListener('change', row.update);
  }

  function instrumentButton(instrument) {
    const shown = h('button', {
      type: 'button', class: 'chip', 'aria-pressed': 'true', style: { '--hue': `var(--${instrument.hue})` },
      on: { click: toggle },
    }, h('i', { class: 'dot' }), h('span', {}, instrument.drums ? t('stem.drums') : instrument.name), h('span', { class: 'hint number' }, number(instrument.notes.length)));
    function toggle() {
      instrument.hidden = !instrument.hidden;
      shown.setAttribute('aria-pressed', !instrument.hidden);
      roll.refresh();
      player.refreshVoices();
    }
    return shown;
  }

  return {
    node,
    zoomBy: (steps) => roll.zoomBy(ZOOM ** steps),
    update({ midis }) {
      node.hidden = midis.length === 0;
      if (!midis.length) return;
      const labels = midis.map((task, order) => h('option', { value: task.taskId }, `${t('kind.midi')} ${midis.length - order}${task.parameters?.quantize ? ` · ${task.parameters.quantize}` : ''}`));
      choice.replaceChildren(...labels);
      choice.hidden = midis.length < 2;
      if (midis.some((task) => task.taskId === shown)) choice.value = shown;
      else show(midis[0].taskId);
    },
    draw(position) {
      if (player.state === 'playing' && performance.now() - byHand > FOLLOW_AFTER) roll.follow(position, !calm.matches);
      roll.draw(position);
    },
    close: () => roll.close(),
  };
}
