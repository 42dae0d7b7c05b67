"""A song out of a style: its form, its harmony, and the notes of every player in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from training.drums import patterns
from training.drums.patterns import Feel
from training.material import drumming, theory
from training.material.bars import Bar, Player, Stroke
from training.material.basses import BASSES
from training.material.chords import CHORDS, power
from training.material.corpus import Note
from training.material.instruments import CLASSES
from training.material.lines import LINES, harmonised
from training.material.styles import STYLES, Slot, Style
from training.material.theory import Chord, Key, Random

LEAD_IN = (0.05, 0.6)
TAIL = 2.2
"""Seconds after the last beat."""
FORMS = ("IABABCB", "AABA", "ABAB", "IAABCB", "ABCAB", "AB", "IABCB", "BAB", "AAB")
ENERGY = {"I": 0.4, "A": 0.55, "B": 0.9, "C": 0.6}
MIN_SECONDS, MAX_SECONDS = 32.0, 57.0
FIGURES = {**BASSES, **CHORDS, **LINES}
RELEASE = 0.012
"""Seconds before a key is struck again that it is let go."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What one player plays in the whole song."""

    cls: str
    slot: Slot
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Song:
    """``beats`` are (second, place in the bar from 1); ``kicks`` the seconds of the bass drum, for pumping."""

    style: Style
    bpm: float
    meter: tuple[int, int]
    key: str
    beats: tuple[tuple[float, int], ...]
    chords: tuple[tuple[float, str], ...]
    sections: tuple[tuple[float, str], ...]
    voices: tuple[Voice, ...]
    duration: float
    kicks: tuple[float, ...]
    human: bool


@dataclass(slots=True)
class Section:
    label: str
    bars: int
    key: Key
    loop: list[Chord]
    drums: bool
    active: set[int]
    first: int = 0


@dataclass(slots=True)
class Plan:
    """All that is settled before a note is played."""

    style: Style
    feel: Feel
    meter: tuple[int, int]
    grid: "Grid"
    sections: list[Section]
    slots: list[Slot]
    classes: list[str]
    chord_every: float
    seed: int


class Grid:
    """Where steps fall in seconds: the tempo wanders, every second step may be late."""

    def __init__(self, rng: Random, beats: int, feel: Feel, drift: float) -> None:
        self.feel = feel
        wander = np.cumsum(rng.normal(0, 1, beats + 1))
        wander -= np.linspace(0, wander[-1], beats + 1)
        pace = 1 + drift * wander / max(float(np.abs(wander).max()), 1e-9)
        if drift > 0.02 and rng.random() < 0.4:
            pace[-feel.beats :] *= np.linspace(1, rng.uniform(0.65, 0.9), feel.beats)
        self._seconds = rng.uniform(*LEAD_IN) + np.concatenate([[0], np.cumsum(60 / feel.tempo / pace)])

    def beat(self, beat: float) -> float:
        return float(np.interp(beat, np.arange(len(self._seconds)), self._seconds))

    def step(self, first_beat: float, step: float) -> float:
        whole = int(step)
        late = self.feel.swing if whole % 2 == 1 else 0.0
        return self.beat(first_beat + (step + late) / self.feel.steps)


@dataclass(slots=True)
class _Played:
    """Notes as they gather: by slot, and of the drums and the percussion."""

    voices: list[list[Note]]
    drums: list[Note] = field(default_factory=list)
    percussion: list[Note] = field(default_factory=list)
    chords: list[tuple[float, str]] = field(default_factory=list)
    sections: list[tuple[float, str]] = field(default_factory=list)


def compose(seed: int, style: Style | None = None) -> Song:
    """A song; the same for the same seed."""
    rng = np.random.default_rng([seed, 11])
    if style is None:
        weights = np.array([one.weight for one in STYLES])
        style = STYLES[int(rng.choice(len(STYLES), p=weights / weights.sum()))]
    plan = _planned(rng, style, seed)
    played = _Played([[] for _ in plan.slots])
    players = [_player(rng, cls) for cls in plan.classes]
    lags = rng.normal(0, 0.005 if style.feel[1] > 0.002 else 0.0, len(players))
    hands = _hands(rng, style)
    for section in plan.sections:
        played.sections.append((plan.grid.beat(section.first * plan.feel.beats), section.label))
        _play_section(rng, plan, section, players, played, hands, lags)
    _end(rng, plan, players, played)
    return _song(plan, played)


def _planned(rng: Random, style: Style, seed: int) -> Plan:
    meters = style.meters.split()
    meter, _, steps = meters[int(rng.integers(len(meters)))].partition("*")
    over, under = (int(number) for number in meter.split("/"))
    beats = over // 3 if under == 8 and over % 3 == 0 else over
    tempo = float(rng.uniform(*style.tempo))
    if (over, under) == (7, 8):
        tempo *= 1.7
    feel = Feel(
        tempo,
        beats,
        int(steps),
        float(rng.uniform(*style.swing)) if steps == "4" else 0.0,
        float(rng.uniform(*style.feel)),
        float(rng.uniform(0.02, 0.1)),
    )
    modes = style.modes.split()
    key = Key(int(rng.integers(12)), modes[int(rng.integers(len(modes)))].replace("_", " "))
    slots, classes = _cast(rng, style)
    sections = _form(rng, style, feel, key, slots, classes)
    total = sum(section.bars for section in sections) * beats
    drift = style.drift * float(rng.uniform(0, 1)) if rng.random() < 0.8 else 0.0
    grid = Grid(rng, total + 2 * beats, feel, drift)
    every = float(rng.choice([float(word) for word in style.chord_every.split()]))
    if beats == 4 and tempo < 120 and rng.random() < 0.18 and style.loops != "blues":
        every = 0.5
    return Plan(style, feel, (over, under), grid, sections, slots, classes, every, seed)


def _cast(rng: Random, style: Style) -> tuple[list[Slot], list[str]]:
    """Who is there, each with an instrument; at least one."""
    slots = [slot for slot in style.slots if rng.random() < slot.chance] or [style.slots[0]]
    drop = rng.random()
    if drop < 0.05 and len(slots) > 2:
        slots = [slot for slot in slots if not slot.classes.startswith("bass")]
    elif drop < 0.08 and len(slots) > 3:
        slots = [slots[int(order)] for order in sorted(rng.choice(len(slots), 2, replace=False))]
    classes = []
    for slot in slots:
        choices = slot.classes.split()
        fresh = [name for name in choices if name not in classes] or choices
        classes.append(fresh[int(rng.integers(len(fresh)))])
    return slots, classes


def _form(
    rng: Random, style: Style, feel: Feel, key: Key, slots: Sequence[Slot], classes: Sequence[str]
) -> list[Section]:
    bar_seconds = feel.beats * 60 / feel.tempo
    room = max(int(rng.uniform(MIN_SECONDS, MAX_SECONDS - TAIL) / bar_seconds), 4)
    unit = 12 if style.loops == "blues" else 8 if room >= 36 or rng.random() < 0.15 else 4
    form = FORMS[int(rng.integers(len(FORMS)))]
    loops = {label: theory.loop(rng, key, style.loops, style.colour) for label in "AB"}
    loops |= {"I": loops["A"], "C": theory.loop(rng, key, style.loops, style.colour)}
    if rng.random() < 0.4:
        loops["B"] = loops["A"]
    lift = int(rng.choice([1, 2, 2, 3, 5])) if rng.random() < 0.15 else 0
    sections: list[Section] = []
    count = 0
    while count < room:
        label = form[len(sections) % len(form)]
        bars = min(unit if label != "I" or unit < 8 else 4, max(room - count, 1))
        if bars < 2 and sections:
            break
        moved = lift if label == "B" and len(sections) > 3 else 0
        active = _active(rng, label, slots, classes)
        drums = bool(style.drums) and rng.random() < {"I": 0.5, "A": 0.93, "B": 0.98, "C": 0.75}[label]
        chords = [chord.moved(moved) for chord in loops[label]]
        sections.append(Section(label, bars, key.moved(moved), chords, drums, active, count))
        count += bars
    return sections


def _active(rng: Random, label: str, slots: Sequence[Slot], classes: Sequence[str]) -> set[int]:
    share = {"I": 0.55, "A": 0.85, "B": 0.98, "C": 0.7}[label]
    if len(slots) <= 4:
        share = 0.97
    active = {order for order in range(len(slots)) if rng.random() < share}
    sung = {order for order in active if classes[order] == "voice"}
    if label == "I":
        active -= sung if len(active) > 1 else set()
    elif sung and rng.random() < 0.75:
        leads = {order for order in active if slots[order].figures.split()[0] in ("melody", "solo")}
        active -= (leads - sung) if label != "C" else sung
    return active or {0}


def _player(rng: Random, cls: str) -> Player:
    made = CLASSES[cls]
    low, high = made.low, made.high
    if cls in ("voice", "backing_voice"):
        low = int(rng.choice([45, 48, 52, 55, 57]))
        high = low + int(rng.integers(14, 20))
    elif made.family in ("woodwinds", "brass", "strings", "synth", "mallets") and high - low > 26:
        low += int(rng.integers(0, (high - low) // 3))
    return Player(low, high, float(rng.random()), line=(low + high) // 2)


def _hands(rng: Random, style: Style) -> tuple[str, ...]:
    if rng.random() >= style.percussion:
        return ()
    if style.name == "orchestral":
        return ("timpani",)
    count = int(rng.choice([1, 1, 2, 3]))
    return tuple(str(name) for name in rng.choice(drumming.HANDS, count, replace=False))


def _play_section(
    rng: Random,
    plan: Plan,
    section: Section,
    players: Sequence[Player],
    played: _Played,
    hands: tuple[str, ...],
    lags: NDArray[np.float64],
) -> None:
    label_seed = ord(section.label)
    choices = np.random.default_rng([plan.seed, label_seed])
    figures = [str(choices.choice(slot.figures.split())) for slot in plan.slots]
    names = plan.style.drums.split()
    groove = str(choices.choice(names)) if names else ""
    steady = drumming.groove(choices, groove, plan.feel) if groove else {}
    extra = drumming.percussion(choices, plan.feel, hands) if hands else {}
    for place in range(section.bars):
        bar_number = section.first + place
        drums: drumming.Hits = {}
        if section.drums:
            drums = _drum_bar(rng, plan, section, place, groove, steady, label_seed)
            played.drums += _struck(rng, plan, drums, bar_number)
        if extra and (section.drums or not plan.style.drums):
            played.percussion += _struck(rng, plan, extra, bar_number)
        for first, bar in _harmonic_bars(plan, section, place, drums):
            _note_chord(plan, played, bar_number * plan.feel.beats + first, bar)
            _play_bar(rng, plan, section, bar, bar_number * plan.feel.beats + first, players, played, figures, lags)


def _note_chord(plan: Plan, played: _Played, beat: float, bar: Bar) -> None:
    name = bar.chord.name(bar.key)
    if not played.chords or played.chords[-1][1] != name:
        played.chords.append((plan.grid.beat(beat), name))


def _drum_bar(
    rng: Random, plan: Plan, section: Section, place: int, groove: str, steady: patterns.Bar, label_seed: int
) -> drumming.Hits:
    bar = dict(steady)
    if rng.random() < 0.15:
        bar = drumming.groove(rng, groove, plan.feel)
    ends = place == section.bars - 1 or (place % 4 == 3 and rng.random() < 0.3)
    if ends and rng.random() < 0.75:
        bar = patterns.fill(rng, plan.feel, bar)
    if place == 0 and rng.random() < 0.7:
        bar = {at: velocity for at, velocity in bar.items() if at not in ((0, "closed"), (0, "ride"))}
        bar |= {(0, "crash"): float(rng.uniform(0.75, 1)), (0, "kick"): 0.95}
    return drumming.keyed(np.random.default_rng([plan.seed, label_seed, 5]), bar)


def _struck(rng: Random, plan: Plan, hits: drumming.Hits, bar_number: int) -> list[Note]:
    feel = plan.feel
    notes = []
    for (step, key), velocity in hits.items():
        start = plan.grid.step(bar_number * feel.beats, step) + float(rng.normal(0, 0.6 * feel.loose))
        strength = min(max(velocity + float(rng.normal(0, feel.uneven)), 0.08), 1.0)
        notes.append(Note(max(start, 0.0), max(start, 0.0) + 0.1, key, strength))
        if feel.loose > 0.003 and key in (38, 43) and rng.random() < 0.015:
            notes.append(Note(max(start - 0.03, 0.0), start + 0.05, key, strength * 0.4))
    return notes


def _harmonic_bars(plan: Plan, section: Section, place: int, drums: drumming.Hits) -> list[tuple[int, Bar]]:
    """The bar, or its halves where chords change twice in it, with the beat they begin on."""
    feel = plan.feel
    halves = plan.chord_every == 0.5
    beats = feel.beats // 2 if halves else feel.beats
    bars = []
    for part in range(2 if halves else 1):
        number = place * 2 + part if halves else int(place / plan.chord_every)
        following = number + 1 if halves or (place + 1) % plan.chord_every == 0 else number
        offset = part * beats * feel.steps
        steps = range(offset, offset + beats * feel.steps)
        bars.append(
            (
                part * beats,
                Bar(
                    section.loop[number % len(section.loop)],
                    section.loop[following % len(section.loop)],
                    section.key,
                    beats,
                    feel.steps,
                    place * (2 if halves else 1) + part,
                    place == section.bars - 1,
                    ENERGY[section.label],
                    tuple(sorted(step - offset for step, key in drums if key == 36 and step in steps)),
                    tuple(sorted(step - offset for step, key in drums if key == 38 and step in steps)),
                ),
            )
        )
    return bars


def _play_bar(
    rng: Random,
    plan: Plan,
    section: Section,
    bar: Bar,
    beat: float,
    players: Sequence[Player],
    played: _Played,
    figures: Sequence[str],
    lags: NDArray[np.float64],
) -> None:
    lead: list[Stroke] = []
    riff: tuple[int, str] | None = None
    ready = []
    order_of = sorted(range(len(players)), key=lambda order: figures[order] in ("harmony", "riff"))
    for order in order_of:
        figure = figures[order]
        if order not in section.active:
            continue
        seed = [plan.seed, ord(section.label), order, bar.place % (8 if figure in LINES else 2)]
        if figure == "harmony":
            strokes = harmonised(bar, lead, int(2 + 2 * (players[order].habit > 0.6)) * (-1 if order % 2 else 1))
            strokes = [one for one in strokes if players[order].low - 5 <= one.pitch <= players[order].high + 5]
        elif figure == "riff" and riff is not None:
            seed[2] = riff[0]
            strokes = _low(_figure(np.random.default_rng(seed), riff[1], bar, replace_range(players[order])))
        else:
            strokes = _figure(
                np.random.default_rng(seed), "bass_eighths" if figure == "riff" else figure, bar, players[order]
            )
        if figure in ("melody", "solo") and (not lead or plan.classes[order] == "voice"):
            lead = strokes
        if figure.startswith("riff"):
            riff = (order, figure)
        ready.append((order, strokes))
    for order, strokes in ready:
        played.voices[order] += _timed(rng, plan, beat, strokes, float(lags[order]), bar.energy)


def replace_range(player: Player) -> Player:
    return replace(player, low=max(player.low, 26))


def _low(strokes: Sequence[Stroke]) -> list[Stroke]:
    """The lowest of strokes that come together."""
    lowest: dict[float, Stroke] = {}
    for stroke in strokes:
        if stroke.step not in lowest or stroke.pitch < lowest[stroke.step].pitch:
            lowest[stroke.step] = stroke
    return sorted(lowest.values())


def _figure(rng: Random, name: str, bar: Bar, player: Player) -> list[Stroke]:
    if "+" in name:
        left, _, right = name.partition("+")
        middle = (player.low + player.high) // 2
        upper = replace(player, low=max(middle, 57), high=max(player.high, 80))
        strokes = _figure(rng, left, bar, replace(player, high=min(middle + 6, player.high)))
        strokes += _figure(rng, right, bar, upper)
        player.line = upper.line
        return strokes
    return FIGURES[name](rng, bar, player)


def _timed(rng: Random, plan: Plan, beat: float, strokes: Sequence[Stroke], lag: float, energy: float) -> list[Note]:
    notes = []
    together: dict[float, float] = {}
    for stroke in strokes:
        loose = together.setdefault(stroke.step, float(np.clip(rng.normal(0, 1), -2, 2)) * plan.feel.loose)
        start = max(plan.grid.step(beat, stroke.step) + loose + lag + stroke.late, 0.0)
        end = plan.grid.step(beat, stroke.step + stroke.length) + lag
        strength = stroke.velocity * (0.8 + 0.25 * energy) + float(rng.normal(0, plan.feel.uneven * 0.6))
        notes.append(Note(start, max(end, start + 0.04), stroke.pitch, min(max(strength, 0.12), 1.0)))
    return notes


def _end(rng: Random, plan: Plan, players: Sequence[Player], played: _Played) -> None:
    """Most songs end on a last chord that rings."""
    if rng.random() < 0.3:
        return
    last = plan.sections[-1]
    bars = last.first + last.bars
    start, end = plan.grid.beat(bars * plan.feel.beats), plan.grid.beat(bars * plan.feel.beats + 3)
    chord = last.loop[0]
    played.chords.append((start, chord.name(last.key)))
    for order, player in enumerate(players):
        if order not in last.active:
            continue
        bar = Bar(chord, chord, last.key, plan.feel.beats, plan.feel.steps)
        family = CLASSES[plan.classes[order]].family
        if family == "bass":
            pitches = [player.low + (chord.bass - player.low) % 12]
        elif "riff" in plan.slots[order].figures or "power" in plan.slots[order].figures:
            pitches = power(bar, player)
        elif plan.slots[order].figures.split()[0] in (
            "melody",
            "solo",
            "moving",
            "chorale",
            "counter",
            "harmony",
            "rap",
        ):
            centre = min(max(player.line, player.low), player.high)
            pitches = [
                min(
                    range(centre - 6, centre + 6),
                    key=lambda pitch: (pitch % 12 not in chord.classes, abs(pitch - centre)),
                )
            ]
        else:
            pitches = theory.voicing(chord, max(player.low, 48), min(player.high, 76))
        loose = float(rng.normal(0, plan.feel.loose))
        played.voices[order] += [Note(max(start + loose, 0), end, pitch, 0.8) for pitch in pitches]
    if last.drums:
        played.drums += [Note(start, start + 0.5, 49, 0.9), Note(start, start + 0.1, 36, 0.9)]


def released(notes: Sequence[Note], duration: float) -> tuple[Note, ...]:
    """In order; a key is let go a little before it is struck again, and all of them by the end of the song."""
    following: dict[int, float] = {}
    kept = []
    for note in sorted(notes, reverse=True):
        end = min(note.end, following.get(note.pitch, duration) - RELEASE)
        if end - note.start > 0.02:
            kept.append(note._replace(end=end))
            following[note.pitch] = note.start
    return tuple(kept[::-1])


def _song(plan: Plan, played: _Played) -> Song:
    feel = plan.feel
    bars = plan.sections[-1].first + plan.sections[-1].bars
    beats = tuple((plan.grid.beat(beat), beat % feel.beats + 1) for beat in range(bars * feel.beats + 1))
    duration = beats[-1][0] + TAIL
    voices = [
        Voice(cls, slot, released(notes, duration - 0.1))
        for cls, slot, notes in zip(plan.classes, plan.slots, played.voices, strict=True)
        if notes
    ]
    if played.drums:
        voices.insert(0, Voice("drums", Slot("drums", "", level=1.0, width=0.6), tuple(sorted(played.drums))))
    if played.percussion:
        voices.append(
            Voice("percussion", Slot("percussion", "", level=-6.0, width=0.7), tuple(sorted(played.percussion)))
        )
    return Song(
        plan.style,
        feel.tempo,
        plan.meter,
        plan.sections[0].key.name,
        beats,
        tuple(played.chords),
        tuple(played.sections),
        tuple(voices),
        duration,
        tuple(sorted(note.start for note in played.drums if note.pitch == 36)),
        plan.style.feel[1] > 0.002,
    )
