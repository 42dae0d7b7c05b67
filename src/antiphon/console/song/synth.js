/** Plays notes with simple synthesis, on the player's clock: enough to compare them by ear with the stems. */

import { familyOf } from './instruments.js';
import { firstFrom } from './roll.js';

const AHEAD = 0.6; // seconds of notes that are handed to the audio thread in advance
const FADE = 0.02;
const LOUDNESS = 0.22; // of a note at full velocity, so that chords do not clip
const MOST = 96; // voices that sound at once; the oldest notes yield

/* wave, attack, decay to sustain, release, and the corner of the low-pass as a multiple of the pitch */
const SOUNDS = {
  struck: { wave: 'triangle', attack: 0.003, decay: 0.9, sustain: 0.12, release: 0.12, bright: 6 },
  plucked: { wave: 'sawtooth', attack: 0.002, decay: 0.5, sustain: 0.1, release: 0.08, bright: 4 },
  bass: { wave: 'sawtooth', attack: 0.004, decay: 0.6, sustain: 0.45, release: 0.06, bright: 3 },
  held: { wave: 'sawtooth', attack: 0.06, decay: 0.3, sustain: 0.7, release: 0.18, bright: 3.5 },
  sung: { wave: 'triangle', attack: 0.03, decay: 0.2, sustain: 0.8, release: 0.1, bright: 8 },
};
const SOUND_OF = { guitar: 'plucked', bass: 'bass', organ: 'held', strings: 'held', voice: 'sung', brass: 'held', winds: 'sung', synth: 'held' };

/** A voice of the player: `instruments` as `readInstruments` gives them; one that is `hidden` is silent. */
export class Synth {
  constructor(instruments) {
    Object.assign(this, { id: 'midi', muted: true, solo: false, volume: 1, gain: null });
    this.instruments = instruments;
    this.places = new Map(); // instrument → index of the next note
    this.session = null;
  }

  open(context, destination) {
    this.context = context;
    this.gain = new GainNode(context, { gain: this.muted ? 0 : this.volume });
    this.gain.connect(destination);
    const noise = new AudioBuffer({ length: context.sampleRate, sampleRate: context.sampleRate });
    const samples = noise.getChannelData(0);
    for (let n = 0; n < samples.length; n += 1) samples[n] = Math.random() * 2 - 1;
    this.noise = noise;
  }

  /** Begin at `position` seconds, which sounds at `time` of the context. */
  start(position, time) {
    this.session = new GainNode(this.context);
    this.session.connect(this.gain);
    this.sounding = [];
    for (const instrument of this.instruments) this.places.set(instrument, firstFrom(instrument.notes, position - instrument.longest));
    this.advance(position, { position, time });
  }

  stop() {
    if (!this.session) return;
    const ended = this.session;
    this.session = null;
    ended.gain.setTargetAtTime(0, this.context.currentTime, FADE / 3);
    setTimeout(() => ended.disconnect(), FADE * 5000);
  }

  /** Hand over the notes that begin soon. */
  advance(position, begun) {
    if (!this.session) return;
    const until = position + AHEAD;
    for (const instrument of this.instruments) {
      let place = this.places.get(instrument);
      for (; place < instrument.notes.length && instrument.notes[place].start < until; place += 1) {
        const note = instrument.notes[place];
        if (this.muted || instrument.hidden || note.end <= position) continue;
        const from = Math.max(note.start, position);
        this.#play(instrument, note, begun.time + from - begun.position, note.end - from);
      }
      this.places.set(instrument, place);
    }
  }

  #play(instrument, note, time, length) {
    const now = this.context.currentTime;
    this.sounding = this.sounding.filter((voice) => voice.end > now);
    if (this.sounding.length >= MOST) this.sounding.shift().out.disconnect();
    const out = new GainNode(this.context, { gain: 0 });
    out.connect(this.session);
    const when = Math.max(now, time);
    const end = instrument.drums ? this.#hit(out, note, when) : this.#tone(out, SOUNDS[SOUND_OF[familyOf(instrument.name)] ?? 'struck'], note, when, length);
    this.sounding.push({ end, out });
  }

  #tone(out, sound, note, time, length) {
    const pitch = 440 * 2 ** ((note.pitch - 69) / 12);
    const oscillator = new OscillatorNode(this.context, { type: sound.wave, frequency: pitch });
    const filter = new BiquadFilterNode(this.context, { type: 'lowpass', frequency: Math.min(16_000, pitch * sound.bright + 200), Q: 0.3 });
    const level = LOUDNESS * note.velocity ** 1.3;
    const off = time + Math.max(length, sound.attack + 0.02);
    const end = off + sound.release * 4;
    out.gain.setValueAtTime(0, time);
    out.gain.linearRampToValueAtTime(level, time + sound.attack);
    out.gain.setTargetAtTime(level * sound.sustain, time + sound.attack, sound.decay / 3);
    out.gain.setTargetAtTime(0, off, sound.release);
    oscillator.connect(filter).connect(out);
    oscillator.start(time);
    oscillator.stop(end);
    oscillator.onended = () => out.disconnect();
    return end;
  }

  /** A drum: noise through a filter, or for skins a tone that falls. */
  #hit(out, note, time) {
    const { kind, pitch, length } = drumSound(note.pitch);
    const level = LOUDNESS * 1.8 * note.velocity;
    const end = time + length;
    out.gain.setValueAtTime(level, time);
    out.gain.exponentialRampToValueAtTime(0.001, end);
    let source;
    if (kind === 'skin') {
      source = new OscillatorNode(this.context, { frequency: pitch });
      source.frequency.setValueAtTime(pitch * 2.4, time);
      source.frequency.exponentialRampToValueAtTime(pitch, time + 0.05);
      source.connect(out);
    } else {
      source = new AudioBufferSourceNode(this.context, { buffer: this.noise, loop: true });
      source.connect(new BiquadFilterNode(this.context, { type: kind === 'snare' ? 'bandpass' : 'highpass', frequency: pitch, Q: 0.7 })).connect(out);
    }
    source.start(time);
    source.stop(end);
    source.onended = () => out.disconnect();
    return end;
  }
}

const KICKS = new Set([35, 36]);
const SNARES = new Set([37, 38, 39, 40]);
const CLOSED = new Set([42, 44]);
const TOMS = { 41: 70, 43: 85, 45: 105, 47: 125, 48: 150, 50: 180 };

function drumSound(key) {
  if (KICKS.has(key)) return { kind: 'skin', pitch: 48, length: 0.28 };
  if (key in TOMS) return { kind: 'skin', pitch: TOMS[key], length: 0.3 };
  if (SNARES.has(key)) return { kind: 'snare', pitch: 1800, length: 0.18 };
  if (CLOSED.has(key)) return { kind: 'metal', pitch: 8000, length: 0.06 };
  if (key === 46) return { kind: 'metal', pitch: 7000, length: 0.3 };
  return { kind: 'metal', pitch: 5000, length: 0.8 };
}
