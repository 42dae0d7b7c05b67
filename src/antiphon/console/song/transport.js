/** Play, pause, where we are, how loud: the row that stays in view. */

import { button, h, icon } from '../dom.js';
import { clock, t } from '../i18n.js';
import { get } from '../api.js';
import { Waveform } from './waveform.js';

const BACK = 5; // seconds that an arrow key goes
const PAGE = 30;

export function transport(player, family) {
  const play = button('', { icon: 'play', kind: 'play', label: t('player.play'), on: { click: () => player.toggle() } });
  const time = h('span', { class: 'time number' }, clock(0));
  const level = h('span', { class: 'level', 'aria-hidden': 'true' }, h('i'));
  const canvas = h('canvas', { class: 'wave overview' });
  const slider = h('div', {
    class: 'seek', role: 'slider', tabindex: '0', 'aria-label': t('player.position'), 'aria-valuemin': '0', 'aria-valuemax': Math.round(player.duration),
    on: { keydown: (event) => seekByKey(event, player) },
  }, canvas);
  const volume = h('input', { type: 'range', min: '0', max: '1', step: '0.01', value: '1', 'aria-label': t('player.volume'), on: { input: () => player.setVolume(Number(volume.value)) } });
  const wave = new Waveform(canvas, 'ink-2');
  seekByPointer(slider, player);
  let whole = -1;
  let state = '';

  const origin = family.tracks[0];
  if (origin) get(origin.peaksPath).then((peaks) => wave.show(peaks), () => {});

  function changed() {
    if (player.state === state) return;
    state = player.state;
    const playing = state !== 'paused';
    play.replaceChildren(icon(playing ? 'pause' : 'play'));
    play.setAttribute('aria-label', t(playing ? 'player.pause' : 'player.play'));
    play.title = play.getAttribute('aria-label');
    play.classList.toggle('waiting', state === 'waiting');
  }

  player.addEventListener('change', changed);
  return {
    node: h('section', { class: 'transport', 'aria-label': t('player.title') },
      play, h('span', { class: 'times' }, time, h('span', { class: 'hint number' }, ` / ${clock(player.duration)}`)), slider, level, volume),
    update: () => {},
    draw(position) {
      wave.draw(player.duration ? position / player.duration : 0);
      slider.style.setProperty('--at', player.duration ? position / player.duration : 0);
      level.style.setProperty('--peak', Math.min(1, player.peak()).toFixed(3));
      if (Math.floor(position) === whole) return;
      whole = Math.floor(position);
      time.textContent = clock(position);
      slider.setAttribute('aria-valuenow', whole);
      slider.setAttribute('aria-valuetext', t('player.at', { at: clock(position), of: clock(player.duration) }));
    },
    close: () => wave.close(),
  };
}

function seekByKey(event, player) {
  const to = {
    ArrowLeft: player.position - BACK, ArrowRight: player.position + BACK, PageDown: player.position - PAGE, PageUp: player.position + PAGE,
    Home: 0, End: player.duration,
  }[event.key];
  if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  player.seek(to);
}

/** Press, or press and draw, to go there. */
export function seekByPointer(element, player) {
  const go = (event) => {
    const { left, width } = element.getBoundingClientRect();
    player.seek(((event.clientX - left) / width) * player.duration);
  };
  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    go(event);
  });
  element.addEventListener('pointermove', (event) => { if (element.hasPointerCapture(event.pointerId)) go(event); });
}
