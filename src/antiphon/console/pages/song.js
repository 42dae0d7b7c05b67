/** A song: heard whole and in parts, its notes seen and heard, its video, its files. */

import { get } from '../api.js';
import { h, notify } from '../dom.js';
import { clock, relative, t } from '../i18n.js';
import { onTask } from '../live.js';
import { loading, problem } from '../parts.js';
import { firstMix, readFamily } from '../song/family.js';
import { listenForPlaying } from '../song/keys.js';
import { mixer } from '../song/mixer.js';
import { notes } from '../song/notes.js';
import { Player, Track } from '../song/player.js';
import { results } from '../song/results.js';
import { transport } from '../song/transport.js';
import { STEM_HUES } from '../song/instruments.js';
import { video } from '../song/video.js';

export default function song({ rest: [taskId], search }) {
  const node = h('div', { class: 'song' }, loading());
  let shown = null;
  let ended = false;
  load();

  async function load() {
    try {
      const { tasks } = await get(`/tasks/${taskId}/family`);
      if (ended) return;
      const family = readFamily(tasks);
      if (shown) { shown.update(family, tasks); return; }
      shown = desk(node, family, tasks);
      document.title = `${family.title} · Antiphon`;
      reveal(search.get('part'));
    } catch (error) {
      if (!shown) node.replaceChildren(problem(error));
      else notify(error.message, 'bad');
    }
  }

  function reveal(part) {
    const wanted = part && node.querySelector(`#${CSS.escape(part)}`);
    if (wanted) wanted.scrollIntoView({ block: 'start' });
  }

  const stop = onTask((task) => {
    if (task === null || !shown || shown.concerns(task)) load();
  });
  return {
    title: t('song.title'),
    node,
    close() {
      ended = true;
      stop();
      shown?.close();
    },
  };
}

/** Everything around one player. */
function desk(node, family, tasks) {
  const first = firstMix(family);
  const make = (one, muted) => new Track({ ...one, name: stemName(one), hue: STEM_HUES[one.stem] ?? 'hue-7', muted });
  const player = new Player(family.duration, family.tracks.map((one) => make(one, !first.has(one.id))));
  const parts = [transport(player, family), mixer(player), notes(player), video(player), results()];
  const keys = listenForPlaying(player, parts[2]);
  let members = new Set();
  let running = true;

  function update(now, all) {
    members = new Set(all.map((task) => task.taskId));
    for (const one of now.tracks) {
      if (!player.tracks.some((track) => track.id === one.id)) player.addTrack(make(one, true));
    }
    if (!player.context) { // nothing was heard yet: begin with what is best now
      const best = firstMix(now);
      for (const track of player.tracks) track.muted = !best.has(track.id);
    }
    for (const part of parts) part.update(now, all);
  }

  function frame() {
    if (!running) return;
    for (const part of parts) part.draw?.(player.position);
    requestAnimationFrame(frame);
  }

  player.addEventListener('trouble', (event) => notify(t('player.trouble', { why: event.detail.message }), 'bad'));
  node.replaceChildren(heading(family), ...parts.map((part) => part.node));
  update(family, tasks);
  frame();
  return {
    update,
    concerns: (task) => members.has(task.taskId) || members.has(task.sourceTaskId),
    close() {
      running = false;
      keys();
      for (const part of parts) part.close?.();
      player.close();
    },
  };
}

const stemName = ({ stem }) => t(`stem.${stem}`);

function heading({ root, title, duration }) {
  const facts = [root.parameters?.author, clock(duration), root.expireTime && t('song.expires', { when: relative(root.expireTime) })];
  return h('div', { class: 'head' }, h('h1', {}, title), h('p', { class: 'hint' }, facts.filter(Boolean).join(' · ')));
}
