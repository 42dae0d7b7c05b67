/** The shape of a track, drawn from its peaks; what has been played is strong, what comes is pale. */

import { colour, onTheme } from '../dom.js';

const PALE = 0.42;

/** A canvas that shows `peaks` ({low, high}, -127…127) in a colour of the theme. */
export class Waveform {
  constructor(canvas, hue) {
    this.canvas = canvas;
    this.hue = hue;
    this.peaks = null;
    this.drawn = -1;
    this.resizing = new ResizeObserver(() => this.#prepare());
    this.resizing.observe(canvas);
    this.unlisten = onTheme(() => this.#prepare());
  }

  show(peaks) {
    this.peaks = peaks;
    this.#prepare();
  }

  close() {
    this.resizing.disconnect();
    this.unlisten();
  }

  /** Draw the whole shape once; after that each frame only copies it. */
  #prepare() {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * ratio);
    const height = Math.round(this.canvas.clientHeight * ratio);
    if (!width || !height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.drawn = -1;
    if (!this.peaks) return;
    this.shape = new OffscreenCanvas(width, height);
    const pen = this.shape.getContext('2d');
    pen.fillStyle = colour(this.hue);
    const { low, high } = this.peaks;
    const step = Math.max(1, Math.round(2 * ratio));
    const loudest = Math.max(1, ...high, ...low.map((value) => -value));
    const scale = (height / 2 - 1) / Math.max(loudest, 32); // a quiet stem is enlarged, silence is not
    for (let x = 0; x < width; x += step) {
      const [from, to] = [x, x + step].map((edge) => Math.floor((edge / width) * high.length));
      let top = 0;
      let bottom = 0;
      for (let n = from; n < Math.max(to, from + 1) && n < high.length; n += 1) {
        top = Math.max(top, high[n]);
        bottom = Math.min(bottom, low[n]);
      }
      const [up, down] = [Math.max(0.5, top * scale), Math.max(0.5, -bottom * scale)];
      pen.fillRect(x, height / 2 - up, Math.max(1, step - Math.ceil(ratio / 2)), up + down);
    }
    this.draw(this.fraction ?? 0, true);
  }

  /** Show what has been played, as a fraction of the song. */
  draw(fraction, force = false) {
    this.fraction = fraction;
    if (!this.shape) return;
    const { width, height } = this.canvas;
    const played = Math.round(fraction * width);
    if (played === this.drawn && !force) return;
    this.drawn = played;
    const pen = this.canvas.getContext('2d');
    pen.clearRect(0, 0, width, height);
    pen.globalAlpha = PALE;
    if (played < width) pen.drawImage(this.shape, played, 0, width - played, height, played, 0, width - played, height);
    pen.globalAlpha = 1;
    if (played > 0) pen.drawImage(this.shape, 0, 0, played, height, 0, 0, played, height);
  }
}
