/** Play, pause, where we are, how loud: the row that stays in view. */

import { copyOf, icon } from '../dom.js';
import { clock, t } from '../i18n.js';
import { get } from '../api.js';
import { Waveform } from './waveform.js';

export function transport(player, family) {
  const { node, play, time, whole, slider, canvas, level, volume } = copyOf('transport');
  const wave = new Waveform(canvas, 'ink-2');
  seekByPointer(slider, player);
  let second = -1;
  let state = '';
  whole.textContent = ` / ${clock(player.duration)}`;
  slider.ariaValueMax = Math.round(player.duration);
  play.addEventListener('click', () => player.toggle());
  volume.addEventListener('input', () => player.setVolume(Number(volume.value)));

  const origin = family.tracks[0];
  if (origin) get(origin.peaksPath).then((peaks) => wave.show(peaks), () => {});

  function changed() {
    if (player.state === state) return;
    state = player.state;
    const playing = state !== 'paused';
    play.replaceChildren(icon(playing ? 'pause' : 'play'));
    play.ariaLabel = play.title = t(playing ? 'player.pause' : 'player.play');
    play.classList.toggle('waiting', state === 'waiting');
  }

  player.addEventListener('change', changed);
  changed();
  return {
    node,
    update: () => {},
    draw(position) {
      wave.draw(player.duration ? position / player.duration : 0);
      slider.style.setProperty('--at', player.duration ? position / player.duration : 0);
      level.style.setProperty('--peak', Math.min(1, player.peak()).toFixed(3));
      if (Math.floor(position) === second) return;
      second = Math.floor(position);
      time.textContent = clock(position);
      slider.ariaValueNow = second;
      slider.ariaValueText = t('player.at', { at: clock(position), of: clock(player.duration) });
    },
    close: () => wave.close(),
  };
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
