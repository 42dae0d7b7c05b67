"""Ten pieces in as many styles, as players would be told them: harmony, grooves, a singer's phrases.

A groove is text, a sign for each step of a bar. Drums: ``X`` strong, ``x`` plain, ``o`` soft. Chords: the same, and
``-`` holds; ``0`` to ``5`` plays one note of the chord, counted from below. Bass: ``1`` root, ``3``, ``5``, ``7`` and
``8`` degrees of the chord, ``a`` a semitone under the next root, ``-`` holds. A dot is a rest, everywhere. Grooves of
several bars are given bar by bar and repeated.

A tune is a line for each bar, ``-`` for a bar of rest: notes as ``degree:beats`` from the first beat on, where degree 1
is the key's tonic, 8 the octave above, 0 the seventh below, ``b`` and ``#`` alter it and ``r`` is a rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

KICK, STICK, SNARE, CLAP, HAT, PEDAL, OPEN = 36, 37, 38, 39, 42, 44, 46
LOW_TOM, MID_TOM, HIGH_TOM, CRASH, RIDE, BELL = 45, 47, 50, 49, 51, 53

Bars = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chords:
    """An instrument that plays chords: its 0-based program, loudness in dB against the others, pan -1 to 1, its
    lowest and highest pitch, its groove, and the seconds from string to string of a strummed chord."""

    program: int
    groove: Bars
    low: int
    high: int
    pan: float = 0.0
    level: float = 0.0
    strum: float = 0.0


@dataclass(frozen=True, slots=True)
class Style:
    """``steps`` of a groove to a beat; ``swing`` is how far every second step is late, in steps; ``feel`` the standard
    deviation of onsets in seconds; ``drift`` the slow wander of the tempo, as a share of it; ``scale`` the
    semitones of the key's degrees; ``tonic`` the pitch of the tune's degree 1; ``bars`` how many of them; ``opening``
    bars go by before the tune begins."""

    name: str
    tempo: float
    harmony: str
    drums: Mapping[int, Bars]
    bass: Bars
    bass_program: int
    chords: tuple[Chords, ...]
    tune: str
    tune_program: int
    tonic: int
    scale: tuple[int, ...] = (0, 2, 4, 5, 7, 9, 11)
    meter: int = 4
    steps: int = 4
    bars: int = 16
    opening: int = 2
    swing: float = 0.0
    feel: float = 0.006
    drift: float = 0.0
    fill: Mapping[int, Bars] = field(default_factory=dict)
    crash: bool = True


MINOR = (0, 2, 3, 5, 7, 8, 10)
DORIAN = (0, 2, 3, 5, 7, 9, 10)
TOMS: Mapping[int, Bars] = {
    KICK: ("x...x...........",),
    SNARE: ("....x...xx......",),
    HIGH_TOM: ("..........xx....",),
    MID_TOM: ("............xx..",),
    LOW_TOM: ("..............xx",),
    HAT: ("x.x.x.x.........",),
}
ROLL: Mapping[int, Bars] = {KICK: ("x.........x.....",), SNARE: ("....X..o.oxxxxXX",), HAT: ("x.x.x.x.x.......",)}

STYLES: tuple[Style, ...] = (
    Style(
        name="rock",
        tempo=132,
        harmony="A A D A F#m E D E",
        drums={
            KICK: ("X.......x.x.....", "X..x....x.x.....", "X.......x.x.....", "X..x....x.x...x."),
            SNARE: ("....X.......X...",),
            HAT: ("x.x.x.x.x.x.x.x.", "x.x.x.x.x.x.x...", "x.x.x.x.x.x.x.x."),
            OPEN: ("................", "..............x.", "................"),
        },
        bass=("1.1.1.1.1.1.1.5.", "1.1.1.1.1.1.5.a."),
        bass_program=34,
        chords=(
            Chords(29, ("X---..x-x---..x-", "X---..x-x---x-x-"), 45, 64, -0.5, -3.0, 0.006),
            Chords(27, ("..0-1-2-3-2-1-2-",), 57, 76, 0.5, -5.0),
        ),
        tune="5:1 5:.5 6:.5 5:1 3:1 | 3:.5 2:.5 1:2 r:1 | 4:1 4:.5 5:.5 6:1 8:1 | 5:2.5 r:1.5 |"
        "6:1 6:.5 5:.5 3:1 5:1 | 4:.5 3:.5 2:2 r:1 | 4:.5 5:.5 6:1 5:.5 4:.5 3:1 | 2:2.5 r:1.5",
        tune_program=53,
        tonic=57,
        fill=TOMS,
    ),
    Style(
        name="ballad",
        tempo=76,
        harmony="C G/B Am7 F C/E F Dm7 G7",
        drums={
            KICK: ("X.........x.....", "X......x..x....."),
            STICK: ("....x.......x...",),
            HAT: ("x.o.x.o.x.o.x.o.",),
        },
        bass=("1-----1-1---5-a-", "1-----5-8---5---"),
        bass_program=33,
        chords=(
            Chords(0, ("x---o---x---o---",), 55, 72, -0.3, 0.0, 0.004),
            Chords(25, ("0-1-2-3-2-1-2-3-",), 48, 67, 0.4, -3.0),
        ),
        tune="3:1 3:.5 4:.5 5:1.5 3:.5 | 2:2.5 r:1.5 | 1:.5 1:.5 2:.5 3:.5 5:1 3:1 | 4:2 3:1 2:1 |"
        "3:1 5:.5 6:.5 8:1.5 7:.5 | 6:2.5 r:1.5 | 6:.5 5:.5 4:1 3:1 2:1 | 2:1 1:2 r:1",
        tune_program=52,
        tonic=60,
        bars=9,
        opening=1,
        drift=0.012,
        feel=0.009,
        fill=ROLL,
    ),
    Style(
        name="funk",
        tempo=104,
        harmony="Em7 Em7 A7 A7 Em7 Em7 A7 B7",
        drums={
            KICK: ("X..x......x..x..", "X..x..x...x....."),
            SNARE: ("....X..o.o..X..o", "....X..o.o.oX..."),
            HAT: ("x.xxx.xxx.x.x.xx", "x.xxx.xxx.xxx.x."),
            OPEN: ("...........x....", "..............x."),
        },
        bass=("1-..8.1..7.8.a..", "1..1..8.7.5.7.a."),
        bass_program=36,
        chords=(
            Chords(28, ("..x...xx..x..xx.", "..xx..x...xx..x."), 59, 76, 0.5, -4.0, 0.004),
            Chords(16, ("X-----..........", "......x-x-......"), 55, 72, -0.4, -5.0),
        ),
        tune="r:.5 5:.25 5:.25 7:.5 8:1 7:.5 5:1 | r:1 4:.5 5:.5 3:.5 1:1.5 | r:.5 5:.5 5:.25 4:.25 5:.5 7:1 8:1 |"
        "7:.5 5:.5 4:.5 3:.5 1:1 r:1 | 8:.75 8:.25 7:.5 5:.5 7:1 r:1 | 5:.5 4:.5 3:.5 4:1.5 r:1 |"
        "3:.5 4:.5 5:.5 7:.5 8:1 7:1 | 5:2 r:2",
        tune_program=53,
        tonic=64,
        scale=DORIAN,
        bars=12,
        swing=0.12,
        fill=ROLL,
    ),
    Style(
        name="swing",
        tempo=156,
        harmony="Cm7 Cm7 Fm7 Bb7 Eb Ab Dm7b5 G7",
        drums={
            RIDE: ("X..x.xX..x.x",),
            PEDAL: ("...x.....x..",),
            KICK: ("o..o..o..o..", "x..o..o..o.x"),
            SNARE: ("............", ".....o......", "............", "........o..o"),
        },
        bass=("1--3--5--a--", "1--5--8--a--", "1--3--5--7--", "8--5--3--a--"),
        bass_program=32,
        chords=(Chords(0, ("X-...x......", "...........x", "X--.....x...", ".....x-....."), 55, 74, -0.3, -1.0),),
        tune="5:1 6:.667 5:.333 3:1 1:1 | r:1 5:.667 3:.333 4:1 5:1 | 4:1.667 3:.333 4:1 6:1 | 7:.667 8:1.333 r:2 |"
        "8:.667 7:.333 5:1 3:1 5:1 | 6:.667 5:.333 3:1 1:2 | 4:1 2:.667 4:.333 6:1 8:1 | 7:2 5:1 r:1",
        tune_program=65,
        tonic=60,
        scale=MINOR,
        steps=3,
        bars=18,
        feel=0.008,
        crash=False,
        fill={SNARE: ("X.xx.xX.xx.x",), KICK: ("x.....x.....",), PEDAL: ("...x.....x..",)},
    ),
    Style(
        name="bossa",
        tempo=128,
        harmony="Dm7 Dm7 G7 G7 Cmaj7 Cmaj7 Em7b5 A7",
        drums={
            KICK: ("X.....x.X.....x.",),
            STICK: ("x.....x.....x...", "....x.....x....."),
            HAT: ("xoxoxoxoxoxoxoxo",),
        },
        bass=("1-----5-5-----1-",),
        bass_program=32,
        chords=(
            Chords(24, ("x---x-..x-..x-..", "..x---x-..x-x---"), 52, 71, 0.3, 0.0, 0.005),
            Chords(
                4, ("................", "X-----------....", "................", "....X-------...."), 60, 76, -0.4, -4.0
            ),
        ),
        tune="6:1.5 5:.5 4:1 2:1 | 4:1 5:.5 6:1.5 r:1 | 5:1.5 4:.5 2:1 4:1 | 5:3 r:1 |"
        "3:1.5 2:.5 1:1 3:1 | 5:1 7:.5 5:1.5 r:1 | 5:.5 4:.5 3:1 5:1 4:1 | 3:2 r:2",
        tune_program=73,
        tonic=72,
        bars=14,
        feel=0.007,
        crash=False,
    ),
    Style(
        name="house",
        tempo=124,
        harmony="Am Am F F C C G Em",
        drums={
            KICK: ("X...X...X...X...",),
            CLAP: ("....X.......X...",),
            HAT: ("x..xx..xx..xx..x",),
            OPEN: ("..x...x...x...x.",),
        },
        bass=("..1...1-..1..1..", "..1...1-..8..1.."),
        bass_program=38,
        chords=(
            Chords(81, ("X--x--x-..x--x--",), 57, 74, 0.0, -6.0),
            Chords(4, ("X---------------",), 52, 69, -0.2, -5.0),
        ),
        tune="5:1 3:.5 4:.5 5:1 r:1 | r:4 | 6:1 5:.5 3:.5 4:1 r:1 | r:4 | 8:1 7:.5 5:.5 7:1 r:1 |"
        "5:.5 5:.5 4:.5 3:.5 1:2 | 4:1 5:.5 4:.5 2:2 | 3:2 r:2",
        tune_program=53,
        tonic=57,
        scale=MINOR,
        bars=14,
        feel=0.0,
        fill={KICK: ("X...X...X...X...",), CLAP: ("....X.......X.xx",), SNARE: ("........x.x.xxxx",)},
    ),
    Style(
        name="metal",
        tempo=168,
        harmony="E5 E5 G5 A5 E5 E5 C5 D5",
        drums={
            KICK: ("X.xxX.xxX.xxX.xx", "X.xxX.xxXxxxXxxx"),
            SNARE: ("....X.......X...",),
            CRASH: ("................", "................", "................", "X.......X......."),
            RIDE: ("X...X...X...X...", "X...X...X...X...", "X...X...X...X...", "................"),
        },
        bass=("1.111.111.111.11", "1.111.1111111111"),
        bass_program=34,
        chords=(
            Chords(30, ("X-xxX-xxX-xxX-xx", "X-xxX-xxX---x---"), 40, 57, -0.7, -2.0),
            Chords(30, ("X-xxX-xxX-xxX-xx", "X-xxX-xxX---x---"), 40, 57, 0.7, -2.0, 0.004),
        ),
        tune="8:1 7:1 8:2 | 5:1.5 4:.5 3:1 r:1 | 6:1 7:1 8:1 10:1 | 9:3 r:1 | 8:.5 8:.5 7:.5 8:.5 10:2 |"
        "9:.5 8:.5 7:1 5:2 | 8:1 7:1 6:1 5:1 | 7:2.5 r:1.5",
        tune_program=53,
        tonic=52,
        scale=MINOR,
        bars=18,
        fill=TOMS,
    ),
    Style(
        name="waltz",
        tempo=144,
        harmony="G G Em Em C C D D G G Bm Bm C D G G",
        drums={
            KICK: ("X...........", "X.......o..."),
            SNARE: ("....o...o...",),
            HAT: ("x...x...x...",),
        },
        bass=("1-------5---", "5-------1---"),
        bass_program=32,
        chords=(
            Chords(25, ("0---X---x---",), 45, 69, -0.4, 0.0, 0.010),
            Chords(21, ("X-----------",), 59, 74, 0.4, -6.0),
        ),
        tune="5:1 5:1 6:1 | 5:2 3:1 | 6:1 6:1 8:1 | 7:2 r:1 | 6:1 5:1 4:1 | 3:2 1:1 | 2:1 3:1 4:1 | 2:2 r:1 |"
        "3:1 5:1 8:1 | 8:2 7:1 | 7:1 6:1 5:1 | 6:2 r:1 | 6:.5 5:.5 4:1 6:1 | 5:.5 4:.5 2:1 0:1 | 1:3 | 1:2 r:1",
        tune_program=40,
        tonic=67,
        meter=3,
        bars=22,
        drift=0.01,
        feel=0.009,
        crash=False,
    ),
    Style(
        name="soul",
        tempo=66,
        harmony="F Dm7 Bb C7 F/A Dm7 Gm7 C7",
        drums={
            KICK: ("X....x.x....", "X....x.x...o"),
            SNARE: ("...X.....X..", "...X....oX.."),
            HAT: ("xxxxxxxxxxxx",),
        },
        bass=("1----51--3-a", "1----35--8-a"),
        bass_program=33,
        chords=(
            Chords(16, ("X-----------",), 58, 72, -0.4, -3.0),
            Chords(26, ("...x-.....x-", "...x-.012345"), 57, 76, 0.4, -3.0, 0.005),
        ),
        tune="5:1 6:.667 5:.333 3:1 1:1 | r:.667 1:.333 3:.667 5:.333 6:2 |"
        "4:1.333 3:.333 4:.333 6:1 4:1 | 5:2.333 r:1.667 | 8:1 8:.667 7:.333 6:1 5:1 | 6:1 5:.667 3:.333 1:2 |"
        "2:1 4:.667 6:.333 8:1 6:1 | 7:2 5:1 r:1",
        tune_program=53,
        tonic=60,
        steps=3,
        bars=8,
        opening=1,
        feel=0.010,
        drift=0.01,
        fill={
            KICK: ("X....x......",),
            SNARE: ("...X..xxx...",),
            MID_TOM: (".........xx.",),
            LOW_TOM: ("...........x",),
        },
    ),
    Style(
        name="latin",
        tempo=96,
        harmony="Am E7 E7 Am Dm Am E7 Am",
        drums={
            KICK: ("X.....x.......x.",),
            STICK: ("x..x..x...x.x...", "..x.x...x..x..x."),
            BELL: ("x.x.xx.xx.x.xx.x",),
            HIGH_TOM: ("................", "..............xx"),
            LOW_TOM: ("............x.x.", "................"),
        },
        bass=("......1-----5---", "......5-----1---"),
        bass_program=33,
        chords=(
            Chords(0, ("x.x.xx.x.xx.x.x.", ".xx.x.xx.x.xx.x."), 60, 79, -0.3, -2.0),
            Chords(
                61, ("................", "................", "..x...X-........", "X-..x...X---...."), 58, 74, 0.4, -4.0
            ),
        ),
        tune="r:1 5:.5 5:.5 8:1 7:.5 6:.5 | 5:1.5 4:.5 2:1 r:1 | r:1 #7:.5 8:.5 9:1 #7:1 | 8:2 5:1 r:1 |"
        "6:.5 6:.5 5:.5 4:.5 6:1 8:1 | 5:1.5 3:.5 1:1 r:1 | 2:.5 3:.5 4:.5 5:.5 4:1 2:1 | 1:2 r:2",
        tune_program=53,
        tonic=57,
        scale=MINOR,
        bars=11,
        feel=0.006,
        fill={HIGH_TOM: ("xx.xx.....x.....",), MID_TOM: (".....xx.x.......",), LOW_TOM: ("...........xx.xx",)},
    ),
)
