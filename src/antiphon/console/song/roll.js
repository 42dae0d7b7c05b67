/**
 * The piano roll: time to the right, pitch upwards, a colour for each instrument, and below a row for each kind of drum.
 * Notes are drawn into tiles that are kept, so that scrolling only copies; the view scrolls as any box does.
 */

import { colour, onTheme } from '../dom.js';
import { clock } from '../i18n.js';
import { LANES, laneOf } from './instruments.js';

const TILE = 1024; // device pixels
const KEPT = 24; // tiles
const RULER = 24; // CSS pixels, above
const GUTTER = 64; // CSS pixels, at the left
const LANE = 16; // height of a drum's row
const GAP = 10; // between notes and drums
const LOUDNESSES = 5; // shades of velocity
const BLACK = new Set([1, 3, 6, 8, 10]);
const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const CLOSEST = 400; // pixels a second
const FEWEST = 24; // semitones shown at least

export class Roll {
  /** `box` scrolls and holds `canvas` (sticky) over `space`, which is as large as all there is to see. */
  constructor({ box, canvas, space, duration, laneName }) {
    Object.assign(this, { box, canvas, space, duration, laneName });
    this.pen = canvas.getContext('2d', { alpha: false });
    this.instruments = [];
    this.zoom = 1; // 1 shows the whole song
    this.tall = 1; // 1 shows all pitches
    this.tiles = new Map();
    this.position = 0;
    this.dirty = true;
    this.listening = onTheme(() => this.refresh());
    box.addEventListener('scroll', () => { this.dirty = true; });
    box.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.resizing = new ResizeObserver(() => this.#measure());
    this.resizing.observe(box);
  }

  close() {
    this.listening();
    this.resizing.disconnect();
  }

  show(instruments) {
    this.instruments = instruments;
    const pitches = instruments.filter((one) => !one.drums).flatMap((one) => one.notes.map((note) => note.pitch));
    let low = 127;
    let high = 0;
    for (const pitch of pitches) { low = Math.min(low, pitch); high = Math.max(high, pitch); }
    if (!pitches.length) [low, high] = [60, 60];
    const spare = Math.max(0, FEWEST - (high - low + 1));
    this.low = Math.max(0, low - 1 - Math.floor(spare / 2));
    this.high = Math.min(127, high + 1 + Math.ceil(spare / 2));
    this.lanes = usedLanes(instruments);
    this.#measure();
  }

  /** Draw the notes anew: an instrument was hidden, or the theme changed. */
  refresh() {
    this.tiles.clear();
    this.colours = null;
    this.dirty = true;
  }

  get rows() {
    return this.high - this.low + 1;
  }

  #measure() {
    if (!this.lanes) return;
    this.ratio = devicePixelRatio || 1;
    this.width = this.box.clientWidth;
    this.height = this.box.clientHeight;
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    this.drums = this.lanes.length ? this.lanes.length * LANE + GAP : 0;
    this.pitched = Math.max(40, this.height - RULER - this.drums); // the part of the view that pitches have
    this.rowHeight = (this.pitched / this.rows) * this.tall;
    this.scale = ((this.width - GUTTER) / this.duration) * this.zoom;
    this.space.style.setProperty('width', `${Math.floor(GUTTER + this.duration * this.scale)}px`);
    this.space.style.setProperty('height', `${Math.floor(this.height + this.rows * this.rowHeight - this.pitched)}px`);
    this.refresh();
  }

  /** Zoom in time by a factor, keeping the moment under `x` (CSS pixels of the view) where it is. */
  zoomBy(factor, x = GUTTER + (this.width - GUTTER) / 2) {
    const most = Math.max(1, (CLOSEST * this.duration) / (this.width - GUTTER));
    const moment = this.momentAt(x);
    this.zoom = Math.min(most, Math.max(1, this.zoom * factor));
    this.#measure();
    this.box.scrollLeft = moment * this.scale - (x - GUTTER);
  }

  /** Make the rows of the pitches taller or lower by a factor. */
  tallBy(factor) {
    const middle = (this.box.scrollTop + this.pitched / 2) / this.rowHeight;
    this.tall = Math.min(8, Math.max(1, this.tall * factor));
    this.#measure();
    this.box.scrollTop = middle * this.rowHeight - this.pitched / 2;
  }

  /** Seconds at a place of the view. */
  momentAt(x) {
    return (this.box.scrollLeft + x - GUTTER) / this.scale;
  }

  /** Bring a moment into view, as a playhead that moves on wants it. */
  follow(position, smoothly) {
    const x = position * this.scale - this.box.scrollLeft;
    const room = this.width - GUTTER;
    if (this.zoom <= 1.01) return;
    if (x < 0 || x > room) this.box.scrollLeft = position * this.scale - room * 0.25;
    else if (smoothly && x > room * 0.5) this.box.scrollLeft += x - room * 0.5;
    else if (!smoothly && x > room * 0.9) this.box.scrollLeft = position * this.scale - room * 0.1;
  }

  #wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 200), event.clientX - this.box.getBoundingClientRect().left);
    }
  }

  /** Draw a frame if something changed. */
  draw(position) {
    if (!this.lanes || !this.width) return;
    if (position === this.position && !this.dirty) return;
    this.position = position;
    this.dirty = false;
    const { pen, ratio, canvas } = this;
    const theme = (this.colours ??= readColours(this.instruments));
    const left = Math.round(this.box.scrollLeft * ratio);
    const tileTop = Math.round(RULER * ratio);
    const [gutter, top] = [Math.round(GUTTER * ratio), Math.round(this.box.scrollTop * ratio)];
    pen.fillStyle = theme.ground;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const last = Math.floor((left + canvas.width - gutter) / TILE);
    const seen = Math.round(this.pitched * ratio);
    for (let n = Math.floor(left / TILE); n <= last; n += 1) {
      const { notes, drums } = this.#tile(n, theme);
      const x = gutter + n * TILE - left;
      pen.drawImage(notes, 0, top, TILE, seen, x, tileTop, TILE, seen);
      if (drums) pen.drawImage(drums, x, canvas.height - drums.height);
    }
    this.#drawRuler(theme);
    this.#drawPlayhead(theme);
    this.#drawGutter(theme);
  }

  #tile(n, theme) {
    const known = this.tiles.get(n);
    this.tiles.delete(n);
    const tile = known ?? this.#drawTile(n, theme);
    this.tiles.set(n, tile);
    if (this.tiles.size > KEPT) this.tiles.delete(this.tiles.keys().next().value);
    return tile;
  }

  #drawTile(n, theme) {
    const { ratio } = this;
    const row = this.rowHeight * ratio;
    const notes = new OffscreenCanvas(TILE, Math.max(1, Math.ceil(this.rows * row)));
    const pen = notes.getContext('2d', { alpha: false });
    const drums = this.drums ? new OffscreenCanvas(TILE, Math.round(this.drums * ratio)) : null;
    const drumPen = drums?.getContext('2d', { alpha: false });
    pen.fillStyle = theme.ground;
    pen.fillRect(0, 0, TILE, notes.height);
    pen.fillStyle = theme.black;
    for (let pitch = this.low; pitch <= this.high; pitch += 1) {
      if (BLACK.has(pitch % 12)) pen.fillRect(0, (this.high - pitch) * row, TILE, row);
    }
    pen.fillStyle = theme.line;
    for (let pitch = this.low; pitch <= this.high; pitch += 1) {
      if (pitch % 12 === 0) pen.fillRect(0, Math.round((this.high - pitch + 1) * row), TILE, 1);
    }
    if (drums) this.#drawLanes(drumPen, drums.height, theme);
    const perSecond = this.scale * ratio;
    const from = (n * TILE) / perSecond;
    const to = ((n + 1) * TILE) / perSecond;
    this.#drawGrid([pen, ...(drumPen ? [drumPen] : [])], n, from, to, theme);
    this.instruments.forEach((instrument, order) => {
      if (instrument.hidden) return;
      const place = instrument.drums ? this.#drumPlace(perSecond, n) : this.#notePlace(perSecond, n, row);
      drawNotes(instrument.drums ? drumPen : pen, visible(instrument, from, to), place, theme.shades[order]);
    });
    return { notes, drums };
  }

  #notePlace(perSecond, n, row) {
    const height = Math.max(1.5, row - (row > 4 ? 1 : 0));
    return ({ start, end, pitch }) => [start * perSecond - n * TILE, (this.high - pitch) * row, Math.max(2, (end - start) * perSecond - 1), height];
  }

  #drumPlace(perSecond, n) {
    const lane = LANE * this.ratio;
    const top = GAP * this.ratio;
    const width = Math.max(2, Math.min(6 * this.ratio, 0.06 * perSecond));
    return ({ start, pitch }) => [start * perSecond - n * TILE, top + this.lanes.indexOf(laneOf(pitch)) * lane + lane * 0.15, width, lane * 0.7];
  }

  #drawLanes(pen, height, theme) {
    pen.fillStyle = theme.ground;
    pen.fillRect(0, 0, TILE, height);
    this.lanes.forEach((_, order) => {
      pen.fillStyle = order % 2 ? theme.ground : theme.black;
      pen.fillRect(0, (GAP + order * LANE) * this.ratio, TILE, LANE * this.ratio);
    });
  }

  #step() {
    return STEPS.find((step) => step * this.scale >= 72) ?? STEPS.at(-1);
  }

  #drawGrid(pens, n, from, to, theme) {
    const step = this.#step();
    for (const pen of pens) {
      pen.fillStyle = theme.line;
      for (let mark = Math.ceil(from / step); mark * step <= to; mark += 1) {
        pen.fillRect(Math.round(mark * step * this.scale * this.ratio - n * TILE), 0, 1, pen.canvas.height);
      }
    }
  }

  #drawRuler(theme) {
    const { pen, ratio } = this;
    pen.fillStyle = theme.sunk;
    pen.fillRect(0, 0, this.canvas.width, RULER * ratio);
    pen.fillStyle = theme.text;
    pen.font = `${11 * ratio}px ${theme.font}`;
    pen.textBaseline = 'middle';
    const step = this.#step();
    const digits = step < 1 ? 1 : 0;
    for (let mark = Math.floor(this.momentAt(GUTTER) / step) * step; mark <= this.momentAt(this.width); mark += step) {
      const x = (GUTTER + mark * this.scale - this.box.scrollLeft) * ratio;
      const label = digits && mark % 1 ? `${clock(mark)}.5` : clock(mark);
      if (mark >= 0) pen.fillText(label, x + 4 * ratio, (RULER / 2) * ratio);
    }
  }

  #drawGutter(theme) {
    const { pen, ratio } = this;
    const row = this.rowHeight * ratio;
    const width = GUTTER * ratio;
    pen.save();
    pen.fillStyle = theme.sunk;
    pen.fillRect(0, 0, width, this.canvas.height);
    pen.beginPath();
    pen.rect(0, RULER * ratio, width, this.pitched * ratio);
    pen.clip();
    pen.font = `${11 * ratio}px ${theme.font}`;
    pen.textAlign = 'right';
    pen.textBaseline = 'middle';
    const top = (RULER - this.box.scrollTop) * ratio;
    for (let pitch = this.low; pitch <= this.high; pitch += 1) {
      const y = top + (this.high - pitch) * row;
      pen.fillStyle = BLACK.has(pitch % 12) ? theme.blackKey : theme.whiteKey;
      pen.fillRect(width - 14 * ratio, y, 14 * ratio, Math.max(1, row - (row > 3 ? 1 : 0)));
      pen.fillStyle = theme.text;
      if (pitch % 12 === 0) pen.fillText(`C${pitch / 12 - 1}`, width - 20 * ratio, y + row / 2);
    }
    pen.restore();
    this.#drawLaneNames(theme, width);
  }

  #drawLaneNames(theme, width) {
    const { pen, ratio } = this;
    pen.fillStyle = theme.text;
    pen.font = `${10.5 * ratio}px ${theme.font}`;
    pen.textBaseline = 'middle';
    const top = (this.height - this.drums + GAP) * ratio;
    this.lanes.forEach((lane, order) => pen.fillText(this.laneName(LANES[lane][0]), 6 * ratio, top + (order + 0.5) * LANE * ratio, width - 10 * ratio));
  }

  #drawPlayhead(theme) {
    const { pen, ratio } = this;
    const x = Math.round((GUTTER + this.position * this.scale - this.box.scrollLeft) * ratio);
    pen.fillStyle = theme.brass;
    pen.fillRect(x - ratio, 0, 2 * ratio, this.canvas.height);
  }
}

function usedLanes(instruments) {
  const lanes = new Set(instruments.filter((one) => one.drums).flatMap((one) => one.notes.map((note) => laneOf(note.pitch))));
  return [...lanes].sort((one, other) => one - other);
}

/** The notes of an instrument that are to be seen between two moments. */
function visible({ notes, longest }, from, to) {
  const first = (moment) => {
    let [low, high] = [0, notes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (notes[middle].start < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return notes.slice(first(from - Math.max(longest, 0.1)), first(to));
}

/** Notes as rectangles, those of one loudness in one path. */
function drawNotes(pen, notes, place, shades) {
  const paths = shades.map(() => new Path2D());
  for (const note of notes) paths[Math.min(LOUDNESSES - 1, Math.floor(note.velocity * LOUDNESSES))].rect(...place(note));
  paths.forEach((path, loudness) => {
    pen.fillStyle = shades[loudness];
    pen.fill(path);
  });
}

function readColours(instruments) {
  const style = getComputedStyle(document.body);
  return {
    ground: colour('sheet'), black: colour('row'), line: colour('line'), sunk: colour('sunk'), text: colour('ink-2'), brass: colour('brass'),
    whiteKey: colour('white-key'), blackKey: colour('black-key'), font: style.fontFamily,
    shades: instruments.map(({ hue }) => shadesOf(colour(hue))),
  };
}

/** From soft to loud. */
function shadesOf(base) {
  const [red, green, blue] = base.match(/[\d.]+/g).map(Number);
  return Array.from({ length: LOUDNESSES }, (_, step) => `rgba(${red}, ${green}, ${blue}, ${0.45 + (0.55 * step) / (LOUDNESSES - 1)})`);
}
