/** Instruments of the MIDI: their families, their colours, and the rows of the drums. */

const FAMILIES = [
  ['voice', /choir|voice|vocal|vox|lead 6/i],
  ['bass', /bass(?!oon)/i],
  ['guitar', /guitar|banjo|sitar|shamisen|koto|harp(?!sichord)/i],
  ['organ', /organ|accordion|harmonica/i],
  ['mallets', /vibraphone|marimba|xylophone|celesta|glockenspiel|music box|bells|dulcimer|kalimba|steel drums/i],
  ['piano', /piano|harpsichord|clavi/i],
  ['strings', /string|violin|viola|cello|contrabass|fiddle/i],
  ['brass', /trumpet|trombone|tuba|horn|brass/i],
  ['winds', /sax|flute|piccolo|clarinet|oboe|bassoon|recorder|whistle|ocarina|pan|bagpipe/i],
  ['synth', /synth|lead|pad|fx/i],
];

/** The family of a General MIDI name; `other` when it is none. */
export const familyOf = (name) => FAMILIES.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other';

const HUES = { voice: 0, other: 1, bass: 2, piano: 3, guitar: 4, strings: 5, synth: 6, organ: 7, brass: 4, winds: 5, mallets: 3 };

export const STEM_HUES = {
  vocal: 'hue-0', backing_vocals: 'hue-6', instrumental: 'hue-1', drums: 'hue-drums', bass: 'hue-2', guitar: 'hue-4', keyboard: 'hue-3',
  percussion: 'hue-7', strings: 'hue-5', synth: 'hue-6', brass: 'hue-4', woodwinds: 'hue-5', fx: 'hue-7', other: 'hue-1', origin: 'ink-3',
};

/** `midiData` of a record as instruments with their notes in order of time, each with the name of its colour. */
export function readInstruments(midiData) {
  const taken = new Set();
  return midiData.instruments.map(({ name, notes }) => {
    const drums = name === 'Drums';
    const sorted = notes.map((note) => ({ ...note, start: Number(note.start), end: Number(note.end) })).sort((one, other) => one.start - other.start);
    const longest = sorted.reduce((most, note) => Math.max(most, note.end - note.start), 0);
    return { name, notes: sorted, longest, drums, hidden: false, hue: drums ? 'hue-drums' : freeHue(HUES[familyOf(name)], taken) };
  });
}

/** The family's colour, or the next that no instrument has. */
function freeHue(wanted, taken) {
  let hue = wanted;
  for (let tries = 0; tries < 8 && taken.has(hue); tries += 1) hue = (hue + 1) % 8;
  taken.add(hue);
  return `hue-${hue}`;
}

/** The drums' rows from the top, as the PNG of `antiphon midi --plot` has them; every other key is percussion. */
export const LANES = [
  ['cymbal', new Set([49, 51, 52, 53, 55, 57, 59])],
  ['hihat', new Set([42, 44, 46])],
  ['tom', new Set([41, 43, 45, 47, 48, 50])],
  ['snare', new Set([37, 38, 39, 40])],
  ['kick', new Set([35, 36])],
  ['percussion', null],
];

export function laneOf(key) {
  const found = LANES.findIndex(([, keys]) => keys?.has(key));
  return found < 0 ? LANES.length - 1 : found;
}
