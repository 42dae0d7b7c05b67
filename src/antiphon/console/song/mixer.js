/** A row for each track: mute, solo, volume, and its shape in which one can seek. */

import { get } from '../api.js';
import { h, keyed } from '../dom.js';
import { t } from '../i18n.js';
import { seekByPointer } from './transport.js';
import { Waveform } from './waveform.js';

export function mixer(player) {
  const rows = h('div', { class: 'mixer-rows' });
  const drawn = [];
  const node = h('section', { class: 'panel', id: 'mixer' }, h('h2', {}, t('mixer.title')), rows);

  function row(track) {
    const made = mixerRow(player, track);
    const canvas = h('canvas', { class: 'wave' });
    const wave = new Waveform(canvas, track.hue);
    const shape = h('div', { class: 'row-wave', 'aria-hidden': 'true' }, canvas);
    made.node.append(shape);
    seekByPointer(shape, player);
    get(track.peaksPath).then((peaks) => wave.show(peaks), () => {});
    drawn.push(wave);
    return made;
  }

  const refresh = () => keyed(rows, player.tracks, (track) => track.id, row);
  player.addEventListener('change', refresh);
  return {
    node,
    update: refresh,
    draw: (position) => { for (const wave of drawn) wave.draw(player.duration ? position / player.duration : 0); },
    close: () => { for (const wave of drawn) wave.close(); },
  };
}

/** Name, mute, solo and volume of a track or voice. */
export function mixerRow(player, track) {
  const press = (letter, name, change) => h('button', {
    type: 'button', class: `key ${name}`, title: t(`mixer.${name}`), 'aria-label': t(`mixer.${name}.of`, { name: track.name }), on: { click: change },
  }, letter);
  const mute = press('M', 'mute', () => player.mix(track, { muted: !track.muted }));
  const solo = press('S', 'solo', () => player.mix(track, { solo: !track.solo }));
  const volume = h('input', {
    type: 'range', min: '0', max: '1.5', step: '0.01', value: track.volume, 'aria-label': t('mixer.volume.of', { name: track.name }),
    on: { input: () => player.mix(track, { volume: Number(volume.value) }) },
  });
  const node = h('div', { class: 'mixer-row', data: { stem: track.stem ?? track.id }, style: { '--hue': `var(--${track.hue})` } },
    h('span', { class: 'track-name' }, h('i', { class: 'dot' }), track.name), h('span', { class: 'keys-pair' }, mute, solo), volume);

  function update() {
    mute.setAttribute('aria-pressed', track.muted);
    solo.setAttribute('aria-pressed', track.solo);
    node.classList.toggle('silent', !player.isAudible(track));
  }

  update();
  return { node, update };
}
