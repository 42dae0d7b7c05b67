"""Pieces in other metres than the styles', and one without drums: for bars, key and chords alone."""

from bench.eval_midi.styles import CRASH, HAT, HIGH_TOM, KICK, LOW_TOM, MINOR, RIDE, SNARE, STICK, Chords, Style

METER_STYLES: tuple[Style, ...] = (
    Style(
        name="six-eight",
        tempo=58,
        harmony="D D G G Bm Bm A A D D G Em A A D A7",
        drums={KICK: ("X.....", "X....x"), SNARE: ("...X..",), HAT: ("xxxxxx", "xoxxox")},
        bass=("1---5-", "1--5-a"),
        bass_program=33,
        chords=(
            Chords(25, ("0.1234", "0.1432"), 50, 74, -0.4, 0.0, 0.004),
            Chords(48, ("X-----",), 55, 74, 0.4, -6.0),
        ),
        tune="5:.667 4:.333 3:.667 5:.333 | 8:1.667 r:.333 | 7:.667 6:.333 4:1 | 2:1.667 r:.333 | 3:1 5:1 | 6:2 |"
        "5:.667 4:.333 3:.667 2:.333 | 2:2",
        tune_program=53,
        tonic=62,
        meter=2,
        steps=3,
        bars=30,
        drift=0.01,
        feel=0.008,
        fill={KICK: ("X.....",), SNARE: ("...XXX",), HIGH_TOM: (".xx...",)},
    ),
    Style(
        name="twelve-eight",
        tempo=62,
        harmony="Ab Fm Db Eb Ab Fm Bbm Eb7",
        drums={KICK: ("X.....X....x",), SNARE: ("...X.....X..",), HAT: ("xxxxxxxxxxxx",)},
        bass=("1-----1--5-a", "1-----5--8-a"),
        bass_program=33,
        chords=(
            Chords(0, ("012321012321", "012343212321"), 48, 75, -0.3),
            Chords(50, ("X-----------",), 58, 77, 0.3, -6.0),
        ),
        tune="3:1 4:.667 5:.333 8:2 | 6:1 5:1 3:1.333 r:.667 | 4:1 4:.667 6:.333 8:1 6:1 | 5:3 r:1 |"
        "3:.667 4:.333 5:1 8:1.333 7:.667 | 6:2 5:1 3:1 | 2:1 4:1 6:1 5:1 | 5:3 r:1",
        tune_program=52,
        tonic=68,
        steps=3,
        bars=12,
        feel=0.008,
        drift=0.01,
        fill={KICK: ("X.....x.....",), SNARE: ("...X..xxxXXX",), LOW_TOM: ("..........xx",)},
    ),
    Style(
        name="five-four",
        tempo=152,
        harmony="Em Em Am Em Em Em D C",
        drums={
            RIDE: ("x.xxx.x.x.",),
            KICK: ("X.....x...", "X..x..x..."),
            SNARE: (".....o....", "........x."),
            HAT: ("....x...x.",),
        },
        bass=("1-----5---", "1--5--8-a-"),
        bass_program=32,
        chords=(Chords(0, ("X--X--X-X-",), 52, 72, -0.3, -1.0),),
        tune="5:1.5 4:.5 3:1 5:2 | 1:3 r:2 | 4:1.5 3:.5 4:1 6:2 | 5:3 r:2 | 8:1.5 7:.5 5:1 7:2 | 5:3 3:2 |"
        "4:1 3:1 2:1 4:2 | 3:1 1:2 r:2",
        tune_program=66,
        tonic=64,
        scale=MINOR,
        meter=5,
        steps=2,
        bars=20,
        feel=0.008,
        crash=False,
    ),
    Style(
        name="seven-eight",
        tempo=198,
        harmony="F#m F#m D E F#m A Bm C#",
        drums={
            KICK: ("X.....x...x...", "X...x.....x..."),
            SNARE: ("....X...X.....", "....X.......X."),
            HAT: ("x.x.x.x.x.x.x.",),
        },
        bass=("1.1.1.1.1.5.5.", "1.1.8.1.1.5.a."),
        bass_program=34,
        chords=(
            Chords(29, ("X---x---x-x-x-",), 42, 64, -0.5, -2.0),
            Chords(81, ("0.1.2.3.2.1.3.",), 61, 80, 0.5, -5.0),
        ),
        tune="5:2 3:2 4:3 | 5:4 r:3 | 6:2 5:2 3:3 | 2:4 r:3 | 8:2 7:2 5:3 | 7:4 5:3 | 4:2 6:2 8:3 | 7:5 r:2",
        tune_program=53,
        tonic=66,
        scale=MINOR,
        meter=7,
        steps=2,
        bars=22,
        feel=0.006,
        fill={SNARE: ("....X...XxXxXx",), KICK: ("X.....x.......",)},
    ),
    Style(
        name="unaccompanied",
        tempo=84,
        harmony="Bb Gm Eb F Bb/D Eb Cm F",
        drums={},
        bass=("1-------5-------", "1-----------5---"),
        bass_program=43,
        chords=(
            Chords(48, ("X-------x-------", "X---------------"), 53, 74, -0.3),
            Chords(46, ("0.1.2.3.4.3.2.1.",), 58, 82, 0.4, -4.0),
        ),
        tune="3:1.5 2:.5 1:1 3:1 | 2:1 1:1 0:2 | 4:1.5 3:.5 4:1 6:1 | 5:3 r:1 | 8:1.5 7:.5 6:1 5:1 | 4:2 3:1 r:1 |"
        "2:1 3:.5 4:.5 6:1 4:1 | 5:3 r:1",
        tune_program=40,
        tonic=70,
        bars=13,
        drift=0.02,
        feel=0.012,
        crash=False,
    ),
    Style(
        name="shanty",
        tempo=96,
        harmony="Cm Bb Cm Gm Cm Ab Bb Cm",
        drums={
            KICK: ("X.....", "X...x."),
            STICK: ("...x..",),
            LOW_TOM: ("..x..x",),
            CRASH: ("X.....", *["......"] * 7),
        },
        bass=("1--5--", "1--1-5"),
        bass_program=33,
        chords=(Chords(21, ("X-----",), 51, 70, 0.3, -2.0), Chords(24, ("x.xx.x", "x.xxx."), 50, 70, -0.4, 0.0, 0.006)),
        tune="1:.667 1:.333 3:.667 5:.333 | 4:.667 3:.333 2:1 | 1:.667 3:.333 5:.667 8:.333 | 7:1 5:1 |"
        "8:.667 8:.333 7:.667 5:.333 | 6:1 5:.667 4:.333 | 3:.667 2:.333 0:1 | 1:1.667 r:.333",
        tune_program=54,
        tonic=60,
        scale=MINOR,
        meter=2,
        steps=3,
        bars=44,
        feel=0.010,
        drift=0.015,
        crash=False,
    ),
)
SIGNATURES = {"six-eight": "6/8", "shanty": "6/8", "twelve-eight": "12/8", "seven-eight": "7/8"}
"""The time signatures of styles that do not count quarters."""


def signatures(style: Style) -> frozenset[str]:
    """The time signatures that ``style`` may be written in: triplets in four are 12/8 as well."""
    written = SIGNATURES.get(style.name, f"{style.meter}/4")
    return frozenset((written, "12/8")) if style.meter == 4 and style.steps == 3 else frozenset((written,))
