/** A song comes in, and what is made of it is seen as it is made. */

import { get, post, upload } from '../api.js';
import { button, h, icon, keyed } from '../dom.js';
import { bytes, t } from '../i18n.js';
import { onTask } from '../live.js';
import { choices, order } from '../orders.js';
import { empty, field, problem, progressBar } from '../parts.js';
import { songCard } from './songcard.js';

const SHOWN = 12; // songs

export default function tryit() {
  const songs = songList();
  const uploads = h('div', { class: 'stack uploads' });
  const form = songForm((fields, wanted) => begin(uploads, songs, fields, wanted));
  return {
    title: t('try.title'),
    node: h('div', { class: 'try' },
      h('div', { class: 'head' }, h('h1', {}, t('try.heading')), h('p', { class: 'lede' }, t('try.lede'))),
      form,
      h('section', { 'aria-label': t('try.songs') }, uploads, songs.node)),
    close: songs.close,
  };
}

/** The form; calls `onStart(fields, wanted)` where `fields` has `file` or `url`, and what accompanies it. */
function songForm(onStart) {
  const chosen = { file: null };
  const picker = h('input', { type: 'file', id: 'song', class: 'offscreen', accept: 'audio/*,video/*', on: { change: () => picker.files[0] && choose(picker.files[0]) } });
  const name = h('p', { class: 'drop-name' }, t('try.drop'));
  const about = h('p', { class: 'hint' }, t('try.drop.hint'));
  const zone = h('label', { class: 'drop', for: 'song' }, staff(), icon('upload'), name, about);
  const url = h('input', { type: 'url', name: 'url', placeholder: 'https://you.example/song.mp3', on: { input: () => { if (url.value) choose(null); } } });
  const inputs = {
    title: h('input', { type: 'text', name: 'title', maxlength: '200' }),
    author: h('input', { type: 'text', name: 'author', maxlength: '50' }),
    lyrics: h('textarea', { name: 'lyrics', maxlength: '100000', placeholder: '[00:12.50]…' }),
    cover: h('input', { type: 'file', name: 'cover', accept: 'image/*' }),
  };
  const wanted = choices();
  const said = h('div', { 'aria-live': 'polite' });
  const go = button(t('try.start'), { kind: 'primary wide', type: 'submit' });

  function choose(file) {
    chosen.file = file;
    zone.classList.toggle('chosen', file !== null);
    name.textContent = file?.name ?? t('try.drop');
    about.textContent = file ? t('try.drop.chosen', { size: bytes(file.size) }) : t('try.drop.hint');
    if (file) url.value = '';
    else picker.value = '';
    said.replaceChildren();
  }

  const over = (on) => (event) => {
    event.preventDefault();
    zone.classList.toggle('over', on);
  };
  const drops = {
    dragenter: over(true), dragover: over(true), dragleave: over(false),
    drop: (event) => {
      over(false)(event);
      if (event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]);
    },
  };
  for (const [event, listener] of Object.entries(drops)) zone.addEventListener(event, listener);

  function start(event) {
    event.preventDefault();
    if (!chosen.file && !url.value) {
      said.replaceChildren(problem({ code: 400, message: t('try.nothing') }));
      picker.focus();
      return;
    }
    const fields = { title: inputs.title.value, author: inputs.author.value, lyrics: inputs.lyrics.value };
    onStart({ ...fields, file: chosen.file, url: url.value, cover: inputs.cover.files[0] ?? null }, wanted.read());
    choose(null);
    for (const input of [url, ...Object.values(inputs)]) input.value = '';
  }

  return h('form', { class: 'song-form', on: { submit: start } },
    h('div', { class: 'stack' }, picker, zone,
      field(t('try.url'), url),
      h('details', { open: matchMedia('(min-width: 56rem)').matches }, h('summary', {}, t('try.details')),
        h('div', { class: 'stack' },
          h('div', { class: 'pair' }, field(t('try.name'), inputs.title, t('try.name.hint')), field(t('try.author'), inputs.author)),
          field(t('try.lyrics'), inputs.lyrics, t('try.lyrics.hint')), field(t('try.cover'), inputs.cover)))),
    h('div', { class: 'stack' }, wanted.node, said, go));
}

/** Four lines and some neumes: a call, and what answers it. */
function staff() {
  const drawing = h('span', { class: 'staff', 'aria-hidden': 'true' });
  const heights = [3, 4, 6, 5, 3, 4, 2, 1, 2, 0, null, null, 4, 5, 3, 2, 3, 1, 2, 4, 3, 2, 1, 1];
  heights.forEach((height, place) => {
    if (height !== null) drawing.append(h('i', { class: place > 10 && 'response', style: { '--at': place, '--height': height } }));
  });
  return drawing;
}

/** Upload, then ask for what is wanted; a card tells how it goes until the song's own card takes over. */
function begin(uploads, songs, fields, wanted) {
  const title = fields.title || fields.file?.name || fields.url;
  const bar = progressBar(t('upload.progress', { name: title }));
  const stage = h('span', { class: 'hint' }, t('upload.sending'));
  const stop = button('', { icon: 'cross', kind: 'quiet small', label: t('upload.stop') });
  const card = h('article', { class: 'sheet song-card' },
    h('div', { class: 'row spread' }, h('h3', { class: 'song-name' }, title), stop), bar.node, stage);
  uploads.prepend(card);
  run();

  async function run() {
    const sending = send(fields, (fraction) => {
      bar.set(fraction);
      stage.textContent = fraction < 1 ? t('upload.sending') : t('upload.checking');
    });
    stop.onclick = () => { sending.abort(); card.remove(); };
    try {
      const song = await sending.done;
      const refusal = await order(song, wanted).then(() => null, (error) => error);
      card.remove();
      await songs.look(); // the song is there, whatever became of the rest
      if (refusal) throw refusal;
    } catch (error) {
      if (error.name === 'AbortError') return;
      if (!card.isConnected) uploads.prepend(card);
      stop.onclick = () => card.remove();
      card.replaceChildren(card.firstChild, problem(error));
    }
  }
}

function send({ file, url, cover, ...texts }, onProgress) {
  if (!file) {
    const abort = new AbortController();
    onProgress(1);
    const body = Object.fromEntries(Object.entries({ url, ...texts }).filter(([, value]) => value));
    return { done: post('/audio/upload-url', body, { signal: abort.signal }), abort: () => abort.abort() };
  }
  const form = new FormData();
  for (const [name, value] of Object.entries(texts)) if (value) form.append(name, value);
  if (cover) form.append('cover', cover);
  form.append('file', file);
  return upload('/audio/upload', form, onProgress);
}

/** The newest songs with what was made of them, live. */
function songList() {
  const list = h('div', { class: 'stack songs' });
  const tasks = new Map();
  const node = h('div', {}, h('h2', { class: 'section' }, t('try.songs')), list);
  let first = true;

  async function look() {
    const answer = await get('/tasks?limit=200').catch((error) => {
      list.replaceChildren(problem(error));
      return null;
    });
    if (!answer) return;
    for (const task of answer.tasks) tasks.set(task.taskId, task);
    first = false;
    draw();
  }

  function draw() {
    const families = [...tasks.values()]
      .filter((task) => task.kind === 'upload')
      .sort((one, other) => other.createTime - one.createTime)
      .slice(0, SHOWN)
      .map((root) => ({ root, made: descendants(tasks, root.taskId) }));
    if (!families.length) {
      list.replaceChildren(empty(t('try.empty'), t('try.empty.hint')));
      list.keyed = null;
      return;
    }
    if (!list.keyed) list.replaceChildren();
    keyed(list, families, ({ root }) => root.taskId, songCard);
  }

  const stop = onTask((task) => {
    if (task === null) { look(); return; }
    tasks.set(task.taskId, task);
    if (!first) draw();
  });
  look();
  return { node, look, close: stop };
}

/** All that was made of a task, oldest first. */
function descendants(tasks, rootId) {
  const family = new Set([rootId]);
  const byAge = [...tasks.values()].sort((one, other) => one.createTime - other.createTime);
  const made = [];
  for (const task of byAge) {
    if (task.sourceTaskId && family.has(task.sourceTaskId)) {
      family.add(task.taskId);
      made.push(task);
    }
  }
  return made;
}
