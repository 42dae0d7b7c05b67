"""The song that the demo plays: "Call, and I Will Answer".

A voice calls, the vibraphone and the electric piano answer; in the last bars the roles change. G major,
108 beats per minute: intro 2 bars, verse 8, chorus 8, outro 4 and a last chord.

``python demo/compose.py`` writes ``song.mid`` and ``song.mp3`` beside this file, always the same.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from score import BEATS_PER_BAR, DRUM_CHANNEL, TICKS_PER_BEAT, Event, Part, write_midi
from synthesis import mix, save_mp3

TITLE = "Call, and I Will Answer"
AUTHOR = "Antiphon"
NOTICE = "CC0 1.0 Universal: no rights reserved"
INTRO, VERSE, CHORUS, OUTRO, LAST = 0, 2, 10, 18, 22
TAIL = 2.2  # seconds after the last bar in which the reverberation dies away

HARMONY: tuple[str, ...] = (
    *("Em7", "Cmaj7"),
    *("Em7", "Cmaj7", "G", "D/F#", "Em7", "Cmaj7", "Am7", "Dsus4"),
    *("Cmaj7", "D", "Bm7", "Em7", "Am7", "D", "G", "G"),
    *("Em7", "Cmaj7", "Am7", "D"),
    "Gadd9",
)

# name: (bass, guitar strings from low to high, keyboard voicing)
CHORDS: dict[str, tuple[int, tuple[int, ...], tuple[int, ...]]] = {
    "Em7": (40, (52, 59, 62, 67, 71), (55, 59, 62, 64)),
    "Cmaj7": (36, (48, 55, 59, 64, 67), (55, 59, 60, 64)),
    "G": (43, (43, 55, 59, 62, 67), (55, 59, 62)),
    "Gadd9": (31, (43, 55, 59, 62, 69), (55, 59, 62, 69)),
    "D/F#": (42, (54, 57, 62, 66, 69), (54, 57, 62)),
    "D": (38, (50, 57, 62, 66, 69), (54, 57, 62, 66)),
    "Dsus4": (38, (50, 57, 62, 67, 69), (55, 57, 62)),
    "Am7": (33, (45, 57, 60, 64, 67), (55, 57, 60, 64)),
    "Bm7": (35, (47, 54, 57, 62, 66), (54, 57, 59, 62)),
}

# bar, beat, beats, pitch, syllable, phones
LEAD: tuple[tuple[int, float, float, int, str, str], ...] = (
    (VERSE, 0.5, 0.5, 64, "Can ", "K AE N"),
    (VERSE, 1.0, 0.5, 67, "you ", "Y UW"),
    (VERSE, 1.5, 1.0, 69, "hear ", "HH IY ER"),
    (VERSE, 2.5, 0.5, 67, "me ", "M IY"),
    (VERSE, 3.0, 2.2, 71, "now?\n", "N AA UW"),
    (VERSE + 2, 0.0, 0.5, 71, "Call", "K AO L"),
    (VERSE + 2, 0.5, 0.5, 69, "ing ", "IH NG"),
    (VERSE + 2, 1.0, 0.5, 67, "from ", "F R AH M"),
    (VERSE + 2, 1.5, 0.5, 69, "the ", "DH AH"),
    (VERSE + 2, 2.0, 0.5, 71, "oth", "AH"),
    (VERSE + 2, 2.5, 0.5, 67, "er ", "DH ER"),
    (VERSE + 2, 3.0, 2.3, 69, "shore.\n", "SH AO ER"),
    (VERSE + 4, 0.5, 0.5, 64, "Say ", "S EH IY"),
    (VERSE + 4, 1.0, 0.5, 67, "my ", "M AA IY"),
    (VERSE + 4, 1.5, 1.0, 69, "name ", "N EH IY M"),
    (VERSE + 4, 2.5, 0.5, 71, "out ", "AA UW T"),
    (VERSE + 4, 3.0, 2.2, 74, "loud,\n", "L AA UW D"),
    (VERSE + 6, 0.0, 0.5, 72, "I ", "AA IY"),
    (VERSE + 6, 0.5, 0.5, 71, "will ", "W IH L"),
    (VERSE + 6, 1.0, 0.5, 69, "send ", "S EH N"),
    (VERSE + 6, 1.5, 0.5, 67, "it ", "D IH T"),
    (VERSE + 6, 2.0, 1.0, 69, "back ", "B AE K"),
    (VERSE + 6, 3.0, 1.0, 67, "once ", "W AH N S"),
    (VERSE + 7, 0.0, 2.6, 69, "more.\n", "M AO ER"),
    (CHORUS, 0.0, 2.2, 74, "Call, ", "K AO L"),
    (CHORUS, 2.5, 0.5, 71, "and ", "AE N"),
    (CHORUS, 3.0, 0.5, 69, "I ", "AA IY"),
    (CHORUS, 3.5, 0.5, 71, "will ", "W IH L"),
    (CHORUS + 1, 0.0, 1.0, 69, "an", "AA N"),
    (CHORUS + 1, 1.0, 1.4, 66, "swer.\n", "S AH"),
    (CHORUS + 2, 0.0, 2.2, 74, "Sing, ", "S IH NG"),
    (CHORUS + 2, 2.5, 0.5, 71, "and ", "AE N"),
    (CHORUS + 2, 3.0, 0.5, 69, "I ", "AA IY"),
    (CHORUS + 2, 3.5, 0.5, 71, "will ", "W IH L"),
    (CHORUS + 3, 0.0, 2.4, 67, "know.\n", "N AO UW"),
    (CHORUS + 4, 0.0, 2.2, 72, "Call, ", "K AO L"),
    (CHORUS + 4, 2.5, 0.5, 72, "and ", "AE N"),
    (CHORUS + 4, 3.0, 0.5, 71, "I ", "AA IY"),
    (CHORUS + 4, 3.5, 0.5, 69, "will ", "W IH L"),
    (CHORUS + 5, 0.0, 1.0, 69, "fol", "F AO L"),
    (CHORUS + 5, 1.0, 2.5, 74, "low ", "L AO UW"),
    (CHORUS + 6, 0.0, 1.5, 71, "home, ", "HH AO UW"),
    (CHORUS + 6, 1.5, 0.5, 69, "oh, ", "AO UW"),
    (CHORUS + 6, 2.0, 2.4, 67, "home.\n", "HH AO UW M"),
    (OUTRO + 1, 0.5, 0.5, 67, "I ", "AA IY"),
    (OUTRO + 1, 1.0, 0.5, 69, "will ", "W IH L"),
    (OUTRO + 1, 1.5, 1.0, 71, "an", "AA N"),
    (OUTRO + 1, 2.5, 1.2, 67, "swer.\n", "S AH"),
    (OUTRO + 3, 0.5, 0.5, 69, "I ", "AA IY"),
    (OUTRO + 3, 1.0, 0.5, 71, "will ", "W IH L"),
    (OUTRO + 3, 1.5, 0.5, 72, "fol", "F AO L"),
    (OUTRO + 3, 2.0, 1.7, 74, "low ", "L AO UW"),
    (LAST, 0.0, 4.0, 71, "home.", "HH AO UW M"),
)

# The second voices: long notes a third or a fourth under the lead.
CHOIR: tuple[tuple[int, float, float, int, str], ...] = (
    (CHORUS, 0.0, 2.2, 71, "AO"),
    (CHORUS + 1, 0.0, 2.4, 62, "UW"),
    (CHORUS + 2, 0.0, 2.2, 69, "IH"),
    (CHORUS + 3, 0.0, 2.4, 64, "AO UW"),
    (CHORUS + 4, 0.0, 2.2, 69, "AO"),
    (CHORUS + 5, 1.0, 2.5, 69, "AO UW"),
    (CHORUS + 6, 0.0, 1.9, 67, "AO UW"),
    (CHORUS + 6, 2.0, 2.4, 62, "AO UW"),
    (LAST, 0.0, 4.0, 67, "AO UW"),
)

# bar, beat, beats, pitch: what comes back
VIBRAPHONE: tuple[tuple[int, float, float, int], ...] = (
    *((VERSE + 1, 1.5 + i * 0.5, n, p) for i, (n, p) in enumerate([(0.5, 81), (0.5, 79), (1.5, 83)])),
    *((VERSE + 5, 1.5 + i * 0.5, n, p) for i, (n, p) in enumerate([(0.5, 79), (0.5, 81), (0.5, 83), (1.0, 86)])),
    *((CHORUS + 1, 2.0 + i * 0.5, 0.5, p) for i, p in enumerate([78, 81, 83, 86])),
    *((CHORUS + 3, 2.0 + i * 0.5, 0.5, p) for i, p in enumerate([76, 79, 83, 79])),
    *((CHORUS + 7, 0.5 + i * 0.5, 0.5, p) for i, p in enumerate([79, 81, 83, 86, 83, 81, 79])),
    *((OUTRO, b, n, p) for b, n, p in [(0.5, 0.5, 76), (1, 0.5, 79), (1.5, 1, 81), (2.5, 0.5, 79), (3, 2, 83)]),
    *((OUTRO + 2, b, n, p) for b, n, p in [(0, 0.5, 84), (0.5, 0.5, 83), (1, 1, 81), (2, 1, 79), (3, 2, 81)]),
    *((LAST, i * 0.5, 4.0 - i * 0.5, p) for i, p in enumerate([79, 83, 86])),
)

ANSWERS: tuple[tuple[int, float, float, int], ...] = (
    *((VERSE + 3, 1.5 + i * 0.5, 0.5, p) for i, p in enumerate([74, 78, 76, 74, 69])),
    *((VERSE + 7, 2.5 + i * 0.5, 0.5, p) for i, p in enumerate([74, 76, 78])),
    *((CHORUS + 5, 3.0 + i * 0.5, 0.5, p) for i, p in enumerate([78, 81])),
    *((OUTRO + 2, 2.5 + i * 0.5, 0.5, p) for i, p in enumerate([76, 72, 69])),
)


class Player:
    """Puts notes into a part with the small unevenness of a person: ``loose`` is its standard deviation
    in ticks (0.58 ms each)."""

    def __init__(self, part: Part, *, seed: int, loose: float) -> None:
        self.part = part
        self._random = np.random.default_rng(seed)
        self._loose = loose

    def play(
        self, bar: int, beat: float, beats: float, pitch: int, strength: float, *, late: int = 0, **words: object
    ) -> None:
        """``strength`` 0–1 becomes the velocity; ``late`` is a delay in ticks, as in a strummed chord."""
        drift = float(np.clip(self._random.normal(0, self._loose), -2 * self._loose, 2 * self._loose))
        tick = round((bar * BEATS_PER_BAR + beat) * TICKS_PER_BEAT + drift) + late
        velocity = round(127 * min(1.0, max(0.08, strength + float(self._random.normal(0, 0.03)))))
        length = round(beats * TICKS_PER_BEAT * 0.97) - late
        text, phones = str(words.get("text", "")), tuple(str(words.get("phones", "")).split())
        self.part.events.append(Event(max(0, tick), length, pitch, velocity, text, phones))


def sing() -> list[Part]:
    lead = Player(Part("Voice Oohs", 0, 53), seed=1, loose=6)
    for bar, beat, beats, pitch, text, phones in LEAD:
        lead.play(bar, beat, beats, pitch, 0.72 + 0.02 * (pitch - 67), text=text, phones=phones)
    choir = Player(Part("Choir Aahs", 1, 52), seed=2, loose=8)
    for bar, beat, beats, pitch, phones in CHOIR:
        choir.play(bar, beat, beats, pitch, 0.55, phones=phones)
    return [lead.part, choir.part]


def answer() -> Part:
    player = Player(Part("Vibraphone", 2, 11), seed=3, loose=7)
    for bar, beat, beats, pitch in VIBRAPHONE:
        player.play(bar, beat, beats, pitch, 0.7)
    return player.part


def comp() -> Part:
    """The electric piano: two chords a bar, pushed; and the answers that are its own."""
    player = Player(Part("Electric Piano 1", 3, 4), seed=4, loose=7)
    for bar, name in enumerate(HARMONY):
        voicing = CHORDS[name][2]
        pattern = [(0.0, 1.4, 0.55), (1.5, 2.2, 0.48)]
        if CHORUS <= bar < OUTRO:
            pattern = [(0.0, 1.0, 0.62), (1.5, 0.9, 0.55), (2.5, 1.3, 0.58)]
        if bar == LAST:
            pattern = [(0.0, 4.0, 0.5)]
        for beat, beats, strength in pattern:
            for i, pitch in enumerate(voicing):
                player.play(bar, beat, beats, pitch, strength, late=6 * i)
    for bar, beat, beats, pitch in ANSWERS:
        player.play(bar, beat, beats, pitch, 0.74)
    return player.part


def strum() -> Part:
    """The steel-string guitar: picked in eighths, strummed in the chorus."""
    player = Player(Part("Acoustic Guitar (steel)", 4, 25), seed=5, loose=5)
    for bar, name in enumerate(HARMONY):
        strings = CHORDS[name][1]
        if bar == LAST:
            for i, pitch in enumerate(strings):
                player.play(bar, 0, 4, pitch, 0.62, late=28 * i)
        elif CHORUS <= bar < OUTRO:
            for beat, beats, down, strength in (
                (0.0, 1.0, True, 0.62),
                (1.0, 0.5, True, 0.52),
                (1.5, 1.0, False, 0.46),
                (2.5, 0.5, False, 0.48),
                (3.0, 0.5, True, 0.58),
                (3.5, 0.5, False, 0.42),
            ):
                chosen = strings if down else strings[:1:-1]
                for i, pitch in enumerate(chosen):
                    player.play(bar, beat, beats, pitch, strength, late=14 * i)
        else:
            for i, string in enumerate((0, 2, 3, 4, 3, 2, 1, 3)):
                player.play(bar, i * 0.5, min(2.0, 4 - i * 0.5), strings[string], 0.6 if i % 4 == 0 else 0.5)
    return player.part


def walk() -> Part:
    """The bass: root, push and a step towards the next bar's root."""
    player = Player(Part("Electric Bass (finger)", 5, 33), seed=6, loose=4)
    roots = [CHORDS[name][0] for name in HARMONY]
    for bar in range(VERSE, LAST):
        root, following = roots[bar], roots[bar + 1]
        step = following - 1 if following >= root else following + 2
        if CHORUS <= bar < OUTRO:
            line = [(0, root), (0.5, root), (1, root), (1.5, root), (2, root + 12), (2.5, root), (3, root + 7)]
            for beat, pitch in line:
                player.play(bar, beat, 0.5, pitch, 0.74 if beat % 1 == 0 else 0.62)
            player.play(bar, 3.5, 0.5, step, 0.66)
        else:
            player.play(bar, 0, 1.4, root, 0.76)
            player.play(bar, 1.5, 0.5, root, 0.62)
            player.play(bar, 2, 1.0, root + 7, 0.68)
            player.play(bar, 3, 0.5, root, 0.62)
            player.play(bar, 3.5, 0.5, step, 0.66)
    player.play(LAST, 0, 4, roots[LAST], 0.76)
    return player.part


def warm() -> Part:
    """The pad under the intro, the chorus and the end."""
    player = Player(Part("Pad 2 (warm)", 6, 89), seed=7, loose=3)
    for bar, name in enumerate(HARMONY):
        if VERSE <= bar < VERSE + 4:
            continue
        for pitch in CHORDS[name][2]:
            player.play(bar, 0, 4, pitch, 0.5)
    return player.part


KICK, SNARE, CLOSED_HAT, OPEN_HAT, CRASH, LOW_TOM, MID_TOM, HIGH_TOM = 36, 38, 42, 46, 49, 45, 47, 50


def drum() -> Part:
    player = Player(Part("Drums", DRUM_CHANNEL, 0), seed=8, loose=3)

    def hit(bar: int, beat: float, pitch: int, strength: float) -> None:
        player.play(bar, beat, 0.25, pitch, strength)

    for bar in range(VERSE, LAST):
        chorus, fill = CHORUS <= bar < OUTRO, bar in (VERSE + 7, CHORUS + 7, LAST - 1)
        for beat in (0.0, 1.5, 2.0, 3.5) if chorus else (0.0, 2.5) if bar % 2 else (0.0, 1.5, 2.0):
            if not (fill and beat >= 2.5):
                hit(bar, beat, KICK, 0.9 if beat == 0 else 0.78)
        for beat in (1.0,) if fill else (1.0, 3.0):
            hit(bar, beat, SNARE, 0.86)
        if chorus and bar % 2 and not fill:
            hit(bar, 3.75, SNARE, 0.4)
        for i in range(4 if fill else 8):
            opened = i == 7 and bar % 4 == 1
            hit(bar, i * 0.5, OPEN_HAT if opened else CLOSED_HAT, 0.72 if i % 2 == 0 else 0.5)
        if fill:
            for i, tom in enumerate((SNARE, SNARE, HIGH_TOM, HIGH_TOM, MID_TOM, MID_TOM, LOW_TOM, LOW_TOM)):
                hit(bar, 2 + i * 0.25, tom, 0.62 + 0.04 * i)
    for i, beat in enumerate((2.0, 2.5, 3.0, 3.25, 3.5, 3.75)):
        hit(INTRO + 1, beat, (CLOSED_HAT, CLOSED_HAT, SNARE, SNARE, MID_TOM, LOW_TOM)[i], 0.55 + 0.06 * i)
    for bar in (VERSE, CHORUS, CHORUS + 4, OUTRO, LAST):
        hit(bar, 0, CRASH, 0.8)
    hit(LAST, 0, KICK, 0.9)
    return player.part


def song() -> list[Part]:
    """Every part, its events in the order of time, no key struck again before it is released."""
    parts = [*sing(), answer(), comp(), strum(), walk(), warm(), drum()]
    for part in parts:
        part.events = _released(sorted(part.events, key=lambda event: (event.tick, event.pitch)))
    return parts


def _released(events: list[Event]) -> list[Event]:
    """MIDI cannot say that one pitch sounds twice at once: the earlier note ends where the later one starts."""
    following: dict[int, int] = {}
    kept = []
    for event in reversed(events):
        room = following.get(event.pitch, event.tick + event.length + 12) - 12 - event.tick
        if room > TICKS_PER_BEAT // 16:
            kept.append(replace(event, length=min(event.length, room)))
            following[event.pitch] = event.tick
    return kept[::-1]


def main() -> None:
    folder = Path(__file__).parent
    parts = song()
    write_midi(parts, folder / "song.mid", title=TITLE, notice=NOTICE)
    length = Event((LAST + 1) * BEATS_PER_BAR * TICKS_PER_BEAT, 0, 0, 0).start + TAIL
    save_mp3(mix(parts, length), folder / "song.mp3", title=TITLE, artist=AUTHOR, notice=NOTICE)
    print(f"{sum(len(part.events) for part in parts)} notes in {len(parts)} parts, {length:.2f} s")


if __name__ == "__main__":
    main()
