/** The music video. */

import { h } from '../dom.js';
import { t } from '../i18n.js';

export function video(player) {
  const screen = h('video', { controls: true, preload: 'metadata', playsinline: true, 'aria-label': t('video.title'), on: { play: () => { if (player.state !== 'paused') player.pause(); } } });
  const node = h('section', { class: 'panel', id: 'video', hidden: true }, h('h2', {}, t('video.title')), screen);
  let shown = '';
  player.addEventListener('change', () => { if (player.state === 'playing') screen.pause(); });
  return {
    node,
    update({ videos: [newest] }) {
      node.hidden = !newest;
      if (!newest || newest.taskId === shown) return; // its links are made anew in each answer
      shown = newest.taskId;
      const link = (name) => newest.artifacts.find((one) => one.name === name)?.url ?? '';
      screen.poster = link('thumbnail');
      screen.src = link('video');
    },
    close: () => screen.pause(),
  };
}
