/**
 * Plays tracks in sync on one clock. A track is fetched in pieces of ten seconds, only those that are near, and only while
 * it may be heard; so an hour opens at once, and a seek costs one piece per track.
 */

const PIECE = 10; // seconds
const RATE = 44_100; // of the stems: then no piece is resampled, and the joints cannot be heard
const AHEAD = 2; // pieces fetched before they are due
const KEPT = 4; // pieces kept per track
const START = 0.06; // seconds between the decision to play and the first sample
const RAMP = 0.012; // seconds in which a gain changes, so that it does not click
const TICK = 100; // ms

/** Something that sounds: has `id`, `name`, `hue`, and `pieceUrl(n)`, a file with the n-th piece. */
export class Track {
  constructor(about) {
    Object.assign(this, { muted: false, solo: false, volume: 1, ...about });
    this.pieces = new Map(); // n → promise of an AudioBuffer
    this.sources = new Map(); // n → what is scheduled
    this.gain = null;
  }
}

/** Fires `change` when something other than the position changes, and `trouble` with an error. */
export class Player extends EventTarget {
  constructor(duration, tracks) {
    super();
    this.duration = duration;
    this.tracks = tracks;
    this.voices = []; // what follows the clock besides the tracks
    this.state = 'paused'; // waiting: for pieces; playing
    this.volume = 1;
    this.context = null;
    this.begun = { time: 0, position: 0 }; // the position was this at that time of the context's clock
    this.turn = 0;
    this.timer = 0;
  }

  /** Seconds from the start of the song, now. */
  get position() {
    if (this.state !== 'playing') return this.begun.position;
    const latency = this.context.outputLatency || 0;
    const elapsed = Math.max(0, this.context.currentTime - latency - this.begun.time);
    return Math.min(this.duration, this.begun.position + elapsed);
  }

  /** A context may begin only in the course of a click or a key. */
  #open() {
    if (this.context) return;
    this.context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' });
    this.master = new GainNode(this.context, { gain: this.volume });
    this.meter = new AnalyserNode(this.context, { fftSize: 1024, smoothingTimeConstant: 0 });
    this.master.connect(this.meter).connect(this.context.destination);
    for (const track of this.tracks) this.#openTrack(track);
    for (const voice of this.voices) this.#openVoice(voice);
  }

  #openTrack(track) {
    track.gain = new GainNode(this.context, { gain: this.#level(track) });
    track.gain.connect(this.master);
  }

  addTrack(track) {
    this.tracks.push(track);
    if (this.context) this.#openTrack(track);
    this.#changed();
  }

  #openVoice(voice) {
    voice.open(this.context, this.master);
    voice.gain.gain.value = this.#level(voice);
  }

  /** Let something else follow the clock: an object with open(context, out), start(position, time), advance, stop. */
  addVoice(voice) {
    this.voices.push(voice);
    if (!this.context) return;
    this.#openVoice(voice);
    this.refreshVoices();
  }

  /** Let the voices begin anew from here: what they play has changed. */
  refreshVoices() {
    if (this.state !== 'playing') return;
    const { position } = this;
    for (const voice of this.voices) {
      voice.stop();
      voice.start(position, this.begun.time + position - this.begun.position);
    }
  }

  /** Whether a track can be heard as the mixer stands. */
  isAudible(track) {
    return !track.muted && (track.solo || !this.#anySolo());
  }

  #anySolo() {
    return [...this.tracks, ...this.voices].some((one) => one.solo);
  }

  #level(track) {
    return this.isAudible(track) ? track.volume : 0;
  }

  /** Change `muted`, `solo` or `volume` of a track or voice. */
  mix(track, change) {
    Object.assign(track, change);
    if (change.solo) track.muted = false;
    for (const one of [...this.tracks, ...this.voices]) one.gain?.gain.setTargetAtTime(this.#level(one), this.context.currentTime, RAMP);
    if (!('volume' in change)) this.refreshVoices();
    if (this.state === 'playing') this.#advance();
    this.#changed();
  }

  setVolume(volume) {
    this.volume = volume;
    this.master?.gain.setTargetAtTime(volume, this.context.currentTime, RAMP);
  }

  toggle() {
    return this.state === 'paused' ? this.play() : this.pause();
  }

  async play() {
    if (this.begun.position >= this.duration - 0.05) this.begun.position = 0;
    this.#open();
    const mine = (this.turn += 1);
    this.#become('waiting');
    try {
      await Promise.all([this.context.resume(), ...this.#heard().map((track) => this.#piece(track, this.#place(this.begun.position)))]);
    } catch (error) {
      if (mine === this.turn) this.#fail(error);
      return;
    }
    if (mine !== this.turn) return;
    const align = (seconds) => Math.round(seconds * RATE) / RATE;
    this.begun = { time: align(this.context.currentTime + START), position: align(this.begun.position) };
    for (const voice of this.voices) voice.start(this.begun.position, this.begun.time);
    this.#become('playing');
    this.#advance();
    this.timer = setInterval(() => this.#advance(), TICK);
  }

  pause() {
    const position = this.position;
    this.#halt();
    this.begun.position = position;
    this.#become('paused');
  }

  /** Go to a position in seconds, and go on if it was playing. */
  seek(position) {
    const going = this.state !== 'paused' && position < this.duration;
    this.#halt();
    this.begun.position = Math.min(this.duration, Math.max(0, position));
    if (going) this.play();
    else this.#become('paused');
  }

  close() {
    this.#halt();
    this.state = 'paused';
    this.context?.close();
  }

  #halt() {
    this.turn += 1;
    clearInterval(this.timer);
    for (const track of this.tracks) {
      for (const source of track.sources.values()) source?.stop();
      track.sources.clear();
    }
    for (const voice of this.voices) voice.stop();
  }

  #heard() {
    return this.tracks.filter((track) => !track.muted);
  }

  #place(position) {
    return Math.min(Math.floor(position / PIECE), Math.ceil(this.duration / PIECE) - 1);
  }

  /** Schedule what is due soon, fetch what is due later, end at the end. */
  #advance() {
    const position = this.position;
    if (position >= this.duration) { this.pause(); this.begun.position = 0; this.#changed(); return; }
    const now = this.#place(position);
    const last = this.#place(this.duration - 0.001);
    for (const track of this.#heard()) {
      for (let n = now; n <= Math.min(now + AHEAD, last); n += 1) this.#schedule(track, n);
    }
    for (const voice of this.voices) voice.advance(position, this.begun);
  }

  /** Play the n-th piece when it is due; one that comes too late begins in its middle, in time with the others. */
  async #schedule(track, n) {
    if (track.sources.has(n)) return;
    const mine = this.turn;
    track.sources.set(n, null); // on its way
    let buffer;
    try {
      buffer = await this.#piece(track, n);
    } catch (error) {
      if (mine === this.turn) this.#fail(error);
      return;
    }
    if (mine !== this.turn) return;
    const due = this.begun.time + n * PIECE - this.begun.position;
    const late = Math.max(0, this.context.currentTime + START / 2 - due);
    if (late >= buffer.duration) return;
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(track.gain);
    source.start(due + late, late);
    track.sources.set(n, source);
  }

  /** The n-th piece, fetched once; of each track the few that were used last are kept. */
  #piece(track, n) {
    const known = track.pieces.get(n);
    track.pieces.delete(n);
    const piece = known ?? this.#fetch(track.pieceUrl(n));
    track.pieces.set(n, piece);
    if (!known) piece.catch(() => track.pieces.delete(n));
    while (track.pieces.size > KEPT) track.pieces.delete(track.pieces.keys().next().value);
    return piece;
  }

  async #fetch(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error((await answer.json().catch(() => null))?.msg ?? `HTTP ${answer.status}`);
    return this.context.decodeAudioData(await answer.arrayBuffer());
  }

  #fail(error) {
    this.pause();
    this.dispatchEvent(new CustomEvent('trouble', { detail: error }));
  }

  #become(state) {
    this.state = state;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  /** The loudest sample of the moment, 0 to 1 and above. */
  peak() {
    if (this.state !== 'playing') return 0;
    const samples = this.samples ?? (this.samples = new Float32Array(this.meter.fftSize));
    this.meter.getFloatTimeDomainData(samples);
    let peak = 0;
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    return peak;
  }
}
