/**
 * The piano roll: time to the right, pitch upwards, a colour for each instrument, and below a row for each kind of drum.
 * Notes are drawn into tiles that are kept, so that scrolling only copies; the view scrolls as any box does.
 */

import { colour, onTheme } from '../dom.js';
import { clock } from '../i18n.js';
import { LANES, laneOf } from './instruments.js';

const TILE = 1024; // device pixels
const KEPT = 24; // tiles
const [RULER, GUTTER, KEY] = [24, 64, 14]; // CSS pixels: above, at the left, and there the keyboard
const [LANE, GAP] = [16, 10]; // a drum's row, and the space between notes and drums
const LOUDNESSES = 5; // shades of velocity
const BLACK = new Set([1, 3, 6, 8, 10]);
const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600]; // seconds between lines
const APART = 72; // pixels from one line to the next at least
const CLOSEST = 400; // pixels a second
const FEWEST = 24; // semitones shown at least

export class Roll {
  /** `box` scrolls and holds `canvas` (sticky) over `space`, which is as wide as all there is to see. */
  constructor({ box, canvas, space, duration, laneName }) {
    Object.assign(this, { box, canvas, space, duration, laneName });
    this.pen = canvas.getContext('2d', { alpha: false });
    this.zoom = 1; // the whole song
    this.tiles = new Map();
    this.unlisten = onTheme(() => this.refresh());
    box.addEventListener('scroll', () => { this.dirty = true; });
    box.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.resizing = new ResizeObserver(() => this.#measure());
    this.resizing.observe(box);
  }

  close() {
    this.unlisten();
    this.resizing.disconnect();
  }

  show(instruments) {
    this.instruments = instruments;
    const keys = (drums) => new Set(instruments.filter((one) => one.drums === drums).flatMap((one) => one.notes.map((note) => note.pitch)));
    const pitches = [...keys(false), ...(keys(false).size ? [] : [60])];
    const [low, high] = [Math.min(...pitches), Math.max(...pitches)];
    const spare = Math.max(2, FEWEST - (high - low + 1)) / 2;
    this.low = Math.max(0, low - Math.floor(spare));
    this.high = Math.min(127, high + Math.ceil(spare));
    this.lanes = [...new Set([...keys(true)].map(laneOf))].sort((one, other) => one - other);
    this.#measure();
  }

  /** Draw the notes anew: an instrument was hidden, or the theme changed. */
  refresh() {
    this.tiles.clear();
    this.theme = null;
    this.dirty = true;
  }

  #measure() {
    if (!this.instruments) return;
    this.ratio = devicePixelRatio || 1;
    this.width = this.box.clientWidth;
    this.height = this.box.clientHeight;
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    this.drums = this.lanes.length ? this.lanes.length * LANE + GAP : 0;
    this.row = Math.max(1, (this.height - RULER - this.drums) / (this.high - this.low + 1));
    this.scale = ((this.width - GUTTER) / this.duration) * this.zoom; // pixels a second
    this.step = STEPS.find((step) => step * this.scale >= APART) ?? STEPS.at(-1);
    this.space.style.setProperty('width', `${Math.floor(GUTTER + this.duration * this.scale)}px`);
    this.refresh();
  }

  /** Zoom by a factor, keeping the moment under `x` (pixels of the view) where it is. */
  zoomBy(factor, x = (GUTTER + this.width) / 2) {
    const moment = this.momentAt(x);
    this.zoom = Math.max(1, Math.min(this.zoom * factor, (CLOSEST * this.duration) / (this.width - GUTTER)));
    this.#measure();
    this.box.scrollLeft = moment * this.scale - (x - GUTTER);
  }

  /** Seconds at a place of the view. */
  momentAt(x) {
    return (this.box.scrollLeft + x - GUTTER) / this.scale;
  }

  /** Bring a moment into view, as a playhead that moves on wants it. */
  follow(position, smoothly) {
    const x = position * this.scale - this.box.scrollLeft;
    const room = this.width - GUTTER;
    if (smoothly && x > room / 2 && x <= room) this.box.scrollLeft += x - room / 2;
    else if (x < 0 || x > room * 0.9) this.box.scrollLeft += x - room * 0.1;
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY / 200), event.clientX - this.box.getBoundingClientRect().left);
  }

  /** Draw a frame if something changed. */
  draw(position) {
    if (!this.instruments || !this.width || (position === this.position && !this.dirty)) return;
    this.position = position;
    this.dirty = false;
    this.theme ??= readTheme(this.instruments);
    const { pen, ratio } = this;
    const left = Math.round(this.box.scrollLeft * ratio) - Math.round(GUTTER * ratio);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    for (let n = Math.max(0, Math.floor(left / TILE)); n * TILE < left + this.canvas.width; n += 1) {
      pen.drawImage(this.#tile(n), n * TILE - left, 0);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = `11px ${this.theme.font}`;
    pen.textBaseline = 'middle';
    this.#drawRuler();
    this.#fill('brass', GUTTER + position * this.scale - this.box.scrollLeft - 1, 0, 2, this.height);
    this.#drawGutter();
  }

  #fill(name, ...box) {
    this.pen.fillStyle = this.theme[name];
    this.pen.fillRect(...box);
  }

  #drawRuler() {
    const { pen, step } = this;
    this.#fill('sunk', 0, 0, this.width, RULER);
    pen.fillStyle = this.theme['ink-2'];
    for (let mark = Math.max(0, Math.floor(this.momentAt(GUTTER) / step)); mark * step <= this.momentAt(this.width); mark += 1) {
      const label = clock(mark * step) + (mark * step % 1 ? '.5' : '');
      pen.fillText(label, GUTTER + mark * step * this.scale - this.box.scrollLeft + 4, RULER / 2);
    }
  }

  /** The keyboard and the names of the drums. */
  #drawGutter() {
    const { pen, row, theme } = this;
    this.#fill('sunk', 0, 0, GUTTER, this.height);
    for (let pitch = this.low; pitch <= this.high; pitch += 1) {
      const y = this.#top(pitch);
      this.#fill(BLACK.has(pitch % 12) ? 'black-key' : 'white-key', GUTTER - KEY, y, KEY, Math.max(1, row - (row > 3 ? 1 : 0)));
      pen.fillStyle = theme['ink-2'];
      if (pitch % 12 === 0) pen.fillText(`C${pitch / 12 - 1}`, GUTTER - KEY - 28, y + row / 2);
    }
    pen.fillStyle = theme['ink-2'];
    this.lanes.forEach((lane, order) => pen.fillText(this.laneName(LANES[lane][0]), 6, this.#lane(order) + LANE / 2, GUTTER - 10));
  }

  #top(pitch) {
    return RULER + (this.high - pitch) * this.row;
  }

  #lane(order) {
    return this.height - this.drums + GAP + order * LANE;
  }

  #tile(n) {
    const tile = this.tiles.get(n) ?? this.#drawTile(n);
    this.tiles.delete(n); // the one used last is the last to go
    this.tiles.set(n, tile);
    if (this.tiles.size > KEPT) this.tiles.delete(this.tiles.keys().next().value);
    return tile;
  }

  #drawTile(n) {
    const { ratio, row, theme } = this;
    const tile = new OffscreenCanvas(TILE, this.canvas.height);
    const pen = tile.getContext('2d', { alpha: false });
    const width = TILE / ratio;
    const left = n * width;
    const fill = (name, ...box) => { pen.fillStyle = theme[name]; pen.fillRect(...box); };
    pen.scale(ratio, ratio);
    fill('sheet', 0, 0, width, this.height);
    for (let pitch = this.low; pitch <= this.high; pitch += 1) {
      if (BLACK.has(pitch % 12)) fill('row', 0, this.#top(pitch), width, row);
      if (pitch % 12 === 0) fill('line', 0, this.#top(pitch) + row, width, 1 / ratio);
    }
    this.lanes.forEach((_, order) => { if (order % 2 === 0) fill('row', 0, this.#lane(order), width, LANE); });
    const [from, to] = [left / this.scale, (left + width) / this.scale];
    for (let mark = Math.ceil(from / this.step); mark * this.step <= to; mark += 1) fill('line', mark * this.step * this.scale - left, 0, 1, this.height);
    this.instruments.forEach((instrument, order) => {
      if (!instrument.hidden) drawNotes(pen, visible(instrument, from, to), instrument.drums ? this.#hit(left) : this.#bar(left), theme.shades[order]);
    });
    return tile;
  }

  #bar(left) {
    const height = Math.max(1.5, this.row - (this.row > 4 ? 1 : 0));
    return ({ start, end, pitch }) => [start * this.scale - left, this.#top(pitch), Math.max(2, (end - start) * this.scale - 1), height];
  }

  #hit(left) {
    const width = Math.max(2, Math.min(6, 0.06 * this.scale));
    return ({ start, pitch }) => [start * this.scale - left, this.#lane(this.lanes.indexOf(laneOf(pitch))) + 2, width, LANE - 4];
  }
}

/** The index of the first note that begins at `moment` or later. */
export function firstFrom(notes, moment) {
  let [low, high] = [0, notes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (notes[middle].start < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The notes of an instrument that are to be seen between two moments. */
const visible = ({ notes, longest }, from, to) => notes.slice(firstFrom(notes, from - Math.max(longest, 0.1)), firstFrom(notes, to));

/** Notes as rectangles, those of one loudness in one path. */
function drawNotes(pen, notes, place, shades) {
  const paths = shades.map(() => new Path2D());
  for (const note of notes) paths[Math.min(LOUDNESSES - 1, Math.floor(note.velocity * LOUDNESSES))].rect(...place(note));
  paths.forEach((path, loudness) => {
    pen.fillStyle = shades[loudness];
    pen.fill(path);
  });
}

function readTheme(instruments) {
  const names = ['sheet', 'row', 'line', 'sunk', 'ink-2', 'brass', 'white-key', 'black-key'];
  const colours = Object.fromEntries(names.map((name) => [name, colour(name)]));
  return { ...colours, font: getComputedStyle(document.body).fontFamily, shades: instruments.map(({ hue }) => shadesOf(colour(hue))) };
}

/** From soft to loud. */
function shadesOf(base) {
  const [red, green, blue] = base.match(/[\d.]+/g);
  return Array.from({ length: LOUDNESSES }, (_, step) => `rgba(${red}, ${green}, ${blue}, ${0.45 + (0.55 * step) / (LOUDNESSES - 1)})`);
}
