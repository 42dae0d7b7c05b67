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
    update({ videos }) {
      const newest = videos[0];
      node.hidden = !newest;
      if (!newest || newest.taskId === shown) return; // its link is made anew in each answer
      shown = newest.taskId;
      screen.src = newest.artifacts.find((artifact) => artifact.name === 'video').url;
    },
    close: () => screen.pause(),
  };
}
