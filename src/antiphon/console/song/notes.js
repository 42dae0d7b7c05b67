/** The notes of the MIDI: seen as a piano roll, heard with simple synthesis. */

import { get } from '../api.js';
import { button, h } from '../dom.js';
import { number, t } from '../i18n.js';
import { problem } from '../parts.js';
import { readInstruments } from './instruments.js';
import { mixerRow } from './mixer.js';
import { Roll } from './roll.js';
import { Synth } from './synth.js';

const ZOOM = 1.6;
const SCROLL = 80; // pixels for an arrow key
const FOLLOW_AFTER = 2500; // ms after the last scroll by hand

export function notes(player) {
  const canvas = h('canvas');
  const space = h('div', { class: 'roll-space' });
  const box = h('div', { class: 'roll', tabindex: '0', role: 'group', 'aria-label': t('notes.roll') }, canvas, space);
  const legend = h('div', { class: 'instruments', role: 'group', 'aria-label': t('notes.instruments') });
  const said = h('div');
  const voice = h('div', { class: 'voice' });
  const choice = h('select', { 'aria-label': t('notes.which'), on: { change: () => show(choice.value) } });
  const roll = new Roll({ box, canvas, space, duration: player.duration, laneName: (lane) => t(`lane.${lane}`) });
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const node = h('section', { class: 'panel', id: 'notes', hidden: true },
    h('div', { class: 'row spread' }, h('h2', {}, t('notes.title')), h('div', { class: 'row' }, choice, zoomButtons())),
    said, voice, box, legend);
  let synth = null;
  let shown = null;
  let byHand = 0;

  function zoomButtons() {
    return h('div', { class: 'group', role: 'group', 'aria-label': t('notes.zoom') },
      button('', { icon: 'minus', kind: 'small', label: t('notes.zoom.out'), on: { click: () => roll.zoomBy(1 / ZOOM) } }),
      button('', { icon: 'plus', kind: 'small', label: t('notes.zoom.in'), on: { click: () => roll.zoomBy(ZOOM) } }),
      button(t('notes.lower'), { kind: 'small', label: t('notes.lower.what'), on: { click: () => roll.tallBy(1 / ZOOM) } }),
      button(t('notes.taller'), { kind: 'small', label: t('notes.taller.what'), on: { click: () => roll.tallBy(ZOOM) } }));
  }

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
    scrollBy: (steps) => { box.scrollTop += steps * SCROLL; },
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
