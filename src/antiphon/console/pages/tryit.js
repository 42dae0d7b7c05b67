/** A song comes in, and what is made of it is seen as it is made. */

import { post, upload } from '../api.js';
import { button, copyOf, h, keyed } from '../dom.js';
import { bytes, t } from '../i18n.js';
import { newest, watchTasks } from '../live.js';
import { choices, order } from '../orders.js';
import { empty, problem, progressBar } from '../parts.js';
import { songCard } from './songcard.js';

const SHOWN = 12; // songs

export default function tryit() {
  const page = copyOf('try');
  const songs = songList(page.songs);
  songForm(page, (fields, wanted) => begin(page.uploads, songs, fields, wanted));
  return { title: t('try.title'), node: page.node, close: songs.close };
}

/** Bring the form to life; `onStart(fields, wanted)` gets `file` or `url` and what accompanies it. */
function songForm(page, onStart) {
  const { picker, zone, name, about, url, title, author, lyrics, cover, said } = page;
  const wanted = choices();
  let chosen = null;

  function choose(file) {
    chosen = file;
    zone.classList.toggle('chosen', file !== null);
    name.textContent = file?.name ?? t('try.drop');
    about.textContent = file ? t('try.drop.chosen', { size: bytes(file.size) }) : t('try.drop.hint');
    if (file) url.value = '';
    else picker.value = '';
    said.replaceChildren();
  }

  function start(event) {
    event.preventDefault();
    if (!chosen && !url.value) {
      said.replaceChildren(problem({ code: 400, message: t('try.nothing') }));
      picker.focus();
      return;
    }
    const fields = { title: title.value, author: author.value, lyrics: lyrics.value };
    onStart({ ...fields, file: chosen, url: url.value, cover: cover.files[0] ?? null }, wanted.read());
    choose(null);
    for (const input of [url, title, author, lyrics, cover]) input.value = '';
  }

  takeDrops(zone, choose);
  picker.addEventListener('change', () => picker.files[0] && choose(picker.files[0]));
  url.addEventListener('input', () => url.value && choose(null));
  page.form.addEventListener('submit', start);
  page.details.open = matchMedia('(min-width: 56rem)').matches;
  page.choices.prepend(wanted.node);
  page.staff.append(...neumes());
  choose(null);
}

function takeDrops(zone, choose) {
  for (const name of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.toggle('over', name === 'dragenter' || name === 'dragover');
      if (name === 'drop' && event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]);
    });
  }
}

const CALL = [3, 4, 6, 5, 3, 4, 2, 1, 2, 0];
const RESPONSE = [4, 5, 3, 2, 3, 1, 2, 4, 3, 2, 1, 1];

/** Notes as chant writes them: a call, and what answers it. */
function neumes() {
  const neumes = (heights, from, kind) => heights.map((height, at) => h('i', { class: kind, style: { '--at': from + at, '--height': height } }));
  return [...neumes(CALL, 0, 'call'), ...neumes(RESPONSE, 12, 'response')];
}

/** Upload, then ask for what is wanted; a card tells how it goes. */
function begin(uploads, songs, fields, wanted) {
  const title = fields.title || fields.file?.name || fields.url;
  const bar = progressBar(t('upload.progress', { name: title }));
  const stage = h('span', { class: 'hint' }, t('upload.sending'));
  const stop = button('', { icon: 'cross', kind: 'quiet small', label: t('upload.stop') });
  const card = h('article', { class: 'sheet song-card' },
    h('div', { class: 'row spread' }, h('h3', { class: 'song-name' }, title), stop), bar.node, stage);
  uploads.prepend(card);
  card.scrollIntoView({ block: 'center' });
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
function songList(list) {
  function draw(tasks) {
    const families = newest(tasks).filter((task) => task.kind === 'upload').slice(0, SHOWN)
      .map((root) => ({ root, made: descendants(tasks, root.taskId) }));
    if (!families.length || !list.keyed) {
      list.keyed = null;
      list.replaceChildren(...(families.length ? [] : [empty(t('try.empty'), t('try.empty.hint'))]));
    }
    if (families.length) keyed(list, families, ({ root }) => root.taskId, songCard);
  }

  return watchTasks(draw, (error) => list.replaceChildren(problem(error)));
}

/** All that was made of a task, oldest first. */
function descendants(tasks, rootId) {
  const family = new Set([rootId]);
  const made = [];
  for (const task of newest(tasks).reverse()) {
    if (task.sourceTaskId && family.has(task.sourceTaskId)) {
      family.add(task.taskId);
      made.push(task);
    }
  }
  return made;
}
