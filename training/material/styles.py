"""The kinds of music that are composed: tempi, metres, harmony, who plays, and what each player does."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slot:
    """A player who may be there with ``chance``: a class out of ``classes`` plays figures out of ``figures`` (another
    one in another section); ``level`` in dB against the other parts, ``width`` how far from the middle it stands."""

    classes: str
    figures: str
    chance: float = 1.0
    level: float = 0.0
    width: float = 0.4
    treat: str = ""


@dataclass(frozen=True, slots=True)
class Style:
    """``tempo`` in beats per minute from–to; ``meters`` as ``beats/unit*steps`` words with repetitions for weight;
    ``drums`` words of figures of the drums, none for no drums; ``loops`` a family of progressions; ``colour`` of the
    chords; ``swing`` the highest delay of every second step; ``feel`` the standard deviation of onsets in seconds;
    ``drift`` the highest wander of the tempo; ``weight`` how often the style comes."""

    name: str
    tempo: tuple[float, float]
    drums: str
    slots: tuple[Slot, ...]
    meters: str = "4/4*4"
    modes: str = "major minor"
    loops: str = ""
    colour: str = "triads"
    swing: tuple[float, float] = (0.0, 0.0)
    feel: tuple[float, float] = (0.004, 0.011)
    drift: float = 0.012
    weight: float = 1.0
    chord_every: str = "1"
    percussion: float = 0.1


VOX = Slot("voice", "melody", 0.8, 2.5, 0.05)
BACKING = Slot("backing_voice", "harmony oohs", 0.3, -5.0, 0.6)
LEADS = "synth_lead flute sax violin trumpet clarinet guitar_clean vibraphone harmonica oboe whistle"

STYLES: tuple[Style, ...] = (
    Style(
        "rock",
        (96, 168),
        "rock rock tribal",
        (
            Slot("bass_pick bass_finger bass_pick", "bass_eighths bass_locked bass_locked", 0.96),
            Slot(
                "guitar_overdriven guitar_distorted",
                "riff_power chords_driving power_long riff_single",
                1.0,
                -1,
                0.8,
                "double",
            ),
            Slot("guitar_clean guitar_overdriven guitar_acoustic", "picked strummed comped", 0.55, -3, 0.6),
            Slot("organ piano electric_piano", "held_chords pulsed", 0.3, -5, 0.5),
            Slot("guitar_overdriven guitar_distorted", "solo melody", 0.3, 0, 0.2),
            VOX,
            BACKING,
        ),
        modes="major minor mixolydian dorian",
        weight=2.2,
    ),
    Style(
        "metal",
        (90, 200),
        "metal metal rock",
        (
            Slot("bass_pick bass_finger", "riff bass_eighths bass_locked", 0.97),
            Slot("guitar_distorted", "riff_power riff_single tremolo_picked power_long", 1.0, 1, 0.9, "double"),
            Slot("guitar_distorted", "tremolo_picked harmony power_long", 0.5, -1, 0.6, "double"),
            Slot("guitar_distorted guitar_overdriven", "solo melody", 0.35, 0, 0.15),
            Slot("strings_ensemble choir synth_pad", "held_chords", 0.2, -6, 0.8),
            Slot("voice", "melody", 0.65, 1, 0.05),
            BACKING,
        ),
        modes="minor phrygian minor harmonic_minor",
        colour="power",
        weight=1.6,
    ),
    Style(
        "punk",
        (150, 208),
        "punk rock metal",
        (
            Slot("bass_pick", "bass_eighths bass_eighths riff", 0.98),
            Slot(
                "guitar_distorted guitar_overdriven", "chords_driving chords_driving riff_power", 1.0, 1, 0.9, "double"
            ),
            Slot("guitar_overdriven", "melody riff_single", 0.35, -2, 0.5),
            Slot("voice", "melody", 0.9, 2, 0.05),
            Slot("backing_voice", "harmony", 0.4, -3, 0.5),
        ),
        meters="4/4*2 4/4*4",
        colour="power",
        feel=(0.006, 0.014),
        weight=1.2,
    ),
    Style(
        "pop",
        (80, 132),
        "rock four_on_the_floor sixteenths ballad",
        (
            Slot("bass_finger bass_synth bass_pick", "bass_locked bass_eighths bass_long", 0.95),
            Slot("piano electric_piano synth_pad", "pulsed comped held_chords broken", 0.8, -2, 0.5),
            Slot("guitar_clean guitar_acoustic guitar_muted", "strummed picked comped", 0.6, -4, 0.7),
            Slot("synth_pad strings_ensemble strings_synth", "held_chords", 0.5, -6, 0.9),
            Slot("synth_lead synth_pluck glockenspiel", "sequenced broken melody", 0.35, -6, 0.5),
            Slot("voice", "melody", 0.92, 3, 0.03),
            Slot("backing_voice", "harmony oohs", 0.55, -4, 0.7),
        ),
        weight=2.0,
        percussion=0.3,
    ),
    Style(
        "ballad",
        (58, 88),
        "ballad ballad rock",
        (
            Slot("bass_finger bass_fretless bass_acoustic", "bass_long bass_root_fifth bass_locked", 0.9),
            Slot("piano electric_piano", "pulsed flowing broken", 0.9, 0, 0.4),
            Slot("guitar_acoustic guitar_nylon guitar_clean", "picked strummed", 0.6, -3, 0.6),
            Slot("strings_ensemble synth_pad", "held_chords counter", 0.6, -4, 0.9),
            Slot("sax oboe violin guitar_overdriven", "melody counter", 0.3, -1, 0.2),
            Slot("voice", "melody", 0.85, 3, 0.03),
            BACKING,
        ),
        meters="4/4*4 4/4*4 6/8*3",
        weight=1.2,
    ),
    Style(
        "reggae",
        (66, 98),
        "one_drop one_drop rock",
        (
            Slot("bass_finger bass_synth", "bass_dub bass_dub bass_locked", 0.98, 2),
            Slot("guitar_clean guitar_muted", "skank", 0.9, -2, 0.6),
            Slot("organ piano clavinet", "skank comped", 0.85, -3, 0.6),
            Slot("brass_section trombone sax trumpet", "stabs melody", 0.45, -3, 0.4),
            Slot("voice", "melody", 0.75, 2, 0.05),
            Slot("backing_voice", "harmony", 0.4, -4, 0.6),
        ),
        swing=(0.0, 0.25),
        percussion=0.4,
    ),
    Style(
        "house",
        (116, 132),
        "four_on_the_floor",
        (
            Slot("bass_synth", "bass_offbeat bass_locked bass_sixteenths", 0.95, 1),
            Slot("synth_pad strings_synth", "held_chords", 0.7, -5, 0.9, "pump"),
            Slot("piano electric_piano synth_brass organ", "comped stabs", 0.7, -2, 0.6, "pump"),
            Slot("synth_pluck synth_lead", "sequenced broken", 0.6, -4, 0.6, "pump"),
            Slot("synth_lead", "melody solo", 0.45, -1, 0.3, "pump"),
            Slot("voice", "melody", 0.4, 1, 0.05),
        ),
        colour="sevenths",
        feel=(0.0, 0.001),
        drift=0.0,
        percussion=0.4,
        weight=1.2,
    ),
    Style(
        "edm",
        (122, 150),
        "four_on_the_floor",
        (
            Slot("bass_synth", "bass_offbeat bass_sixteenths bass_long bass_locked", 0.95, 1, 0.0, "pump"),
            Slot("synth_lead", "stabs comped chords_driving", 0.9, 0, 0.9, "pump"),
            Slot("synth_pad", "held_chords", 0.7, -5, 0.9, "pump"),
            Slot("synth_pluck", "sequenced broken", 0.7, -3, 0.6, "pump"),
            Slot("synth_lead", "melody", 0.7, 0, 0.2),
            Slot("voice", "melody", 0.3, 1, 0.05),
        ),
        modes="minor minor major",
        feel=(0.0, 0.0005),
        drift=0.0,
        weight=1.2,
    ),
    Style(
        "dnb",
        (160, 178),
        "breakbeat",
        (
            Slot("bass_synth", "bass_long bass_locked bass_sub", 0.98, 2),
            Slot("synth_pad strings_ensemble electric_piano", "held_chords comped", 0.9, -4, 0.9),
            Slot("synth_pluck synth_lead piano", "sequenced broken", 0.6, -4, 0.5),
            Slot("synth_lead flute", "melody", 0.3, -3, 0.3),
            Slot("voice", "melody", 0.35, 0, 0.05),
        ),
        modes="minor dorian",
        colour="ninths",
        feel=(0.0, 0.003),
        drift=0.0,
        weight=0.8,
    ),
    Style(
        "hip hop",
        (70, 100),
        "boom_bap trap trap",
        (
            Slot("bass_synth bass_finger bass_acoustic", "bass_sub bass_sub bass_locked", 0.95, 2),
            Slot("electric_piano piano synth_pad", "comped held_chords broken", 0.9, -3, 0.5),
            Slot(
                "strings_pizzicato vibraphone flute guitar_nylon synth_pluck", "sequenced melody broken", 0.6, -4, 0.5
            ),
            Slot("strings_ensemble brass_section choir", "held_chords stabs", 0.35, -5, 0.8),
            Slot("voice", "rap melody", 0.75, 2, 0.03),
            Slot("backing_voice", "harmony", 0.2, -4, 0.5),
        ),
        modes="minor minor dorian harmonic_minor",
        colour="sevenths",
        swing=(0.0, 0.3),
        drift=0.0,
        weight=1.2,
    ),
    Style(
        "swing",
        (96, 208),
        "swing",
        (
            Slot("bass_acoustic", "bass_walking", 0.97),
            Slot("piano guitar_jazz", "comped", 0.9, -3, 0.5),
            Slot("guitar_jazz vibraphone", "pulsed comped", 0.35, -5, 0.6),
            Slot("sax trumpet clarinet trombone piano vibraphone", "melody solo", 0.95, 1, 0.3),
            Slot("brass_section sax trombone", "stabs harmony", 0.4, -3, 0.5),
            Slot("voice", "melody", 0.3, 2, 0.05),
        ),
        meters="4/4*3 4/4*3 4/4*3 3/4*3 5/4*3",
        loops="jazz",
        colour="sevenths",
        feel=(0.006, 0.016),
        weight=1.2,
    ),
    Style(
        "bossa",
        (100, 148),
        "latin",
        (
            Slot("bass_acoustic bass_finger", "bass_root_fifth bass_tumbao", 0.95),
            Slot("guitar_nylon", "comped picked", 0.95, -1, 0.4),
            Slot("piano electric_piano", "comped montuno", 0.5, -4, 0.5),
            Slot("flute sax vibraphone trumpet", "melody solo", 0.6, 0, 0.3),
            Slot("voice", "melody", 0.5, 2, 0.05),
            Slot("strings_ensemble", "held_chords", 0.25, -7, 0.9),
        ),
        loops="jazz",
        colour="ninths",
        percussion=0.6,
    ),
    Style(
        "latin",
        (88, 124),
        "latin tribal",
        (
            Slot("bass_acoustic bass_finger", "bass_tumbao", 0.97),
            Slot("piano", "montuno", 0.9, -1, 0.5),
            Slot("brass_section trumpet trombone", "stabs melody", 0.7, -1, 0.5),
            Slot("flute sax guitar_nylon", "melody solo", 0.4, -1, 0.3),
            Slot("voice", "melody", 0.6, 2, 0.05),
            Slot("backing_voice", "harmony", 0.4, -3, 0.5),
        ),
        colour="sevenths",
        percussion=0.9,
        weight=0.7,
    ),
    Style(
        "funk",
        (92, 124),
        "sixteenths",
        (
            Slot("bass_slap bass_finger bass_slap", "bass_slap bass_funk bass_funk", 0.98, 1),
            Slot("guitar_clean guitar_muted", "comped skank riff_single", 0.9, -3, 0.7),
            Slot("clavinet electric_piano organ", "comped stabs", 0.7, -3, 0.5),
            Slot("brass_section sax trumpet", "stabs", 0.6, -2, 0.4),
            Slot("sax synth_lead", "solo", 0.25, 0, 0.2),
            Slot("voice", "melody", 0.65, 2, 0.05),
            BACKING,
        ),
        modes="dorian mixolydian minor",
        colour="ninths",
        swing=(0.0, 0.15),
        chord_every="1 2",
        percussion=0.4,
        weight=1.2,
    ),
    Style(
        "disco",
        (108, 128),
        "four_on_the_floor sixteenths",
        (
            Slot("bass_finger bass_slap bass_synth", "bass_funk bass_octaves bass_octaves", 0.98, 1),
            Slot("guitar_clean guitar_muted", "comped skank", 0.85, -4, 0.7),
            Slot("strings_ensemble", "counter held_chords melody", 0.7, -3, 0.9),
            Slot("piano electric_piano", "pulsed comped", 0.7, -4, 0.5),
            Slot("brass_section", "stabs", 0.5, -3, 0.5),
            Slot("voice", "melody", 0.75, 2, 0.05),
            BACKING,
        ),
        colour="sevenths",
        percussion=0.4,
        weight=0.8,
    ),
    Style(
        "country",
        (92, 150),
        "brushed rock",
        (
            Slot("bass_acoustic bass_finger", "bass_root_fifth", 0.96),
            Slot("guitar_acoustic", "strummed picked", 0.97, -1, 0.5),
            Slot("banjo guitar_clean", "picked broken", 0.6, -3, 0.6),
            Slot("violin harmonica guitar_clean piano", "melody solo counter", 0.6, -2, 0.4),
            Slot("voice", "melody", 0.85, 2, 0.05),
            Slot("backing_voice", "harmony", 0.4, -4, 0.5),
        ),
        meters="4/4*4 4/4*4 3/4*2",
        modes="major mixolydian",
    ),
    Style(
        "singer-songwriter",
        (64, 126),
        "",
        (
            Slot("guitar_acoustic guitar_nylon guitar_acoustic", "strummed picked picked", 1.0, 0, 0.25),
            Slot("voice", "melody", 0.95, 2, 0.05),
            Slot("guitar_acoustic piano cello accordion violin", "picked counter melody", 0.4, -4, 0.6),
            Slot("bass_acoustic bass_finger", "bass_long bass_root_fifth", 0.2),
            Slot("backing_voice", "harmony", 0.3, -4, 0.4),
        ),
        meters="4/4*4 4/4*4 3/4*2 6/8*3",
        feel=(0.006, 0.016),
        drift=0.03,
        weight=1.4,
        percussion=0.12,
    ),
    Style(
        "chamber",
        (60, 132),
        "",
        (
            Slot("violin flute oboe", "moving melody", 1.0, 0, 0.5),
            Slot("violin clarinet viola", "moving chorale counter", 1.0, -2, 0.4),
            Slot("viola clarinet horn", "chorale moving", 0.9, -2, 0.4),
            Slot("cello bassoon", "chorale moving", 1.0, -1, 0.5),
        ),
        meters="4/4*2 3/4*2 4/4*4 6/8*3",
        modes="major minor harmonic_minor",
        feel=(0.008, 0.02),
        drift=0.04,
        weight=1.3,
        percussion=0.0,
    ),
    Style(
        "brass quintet",
        (72, 132),
        "",
        (
            Slot("trumpet", "moving melody", 1.0, 0, 0.6),
            Slot("trumpet horn", "moving harmony chorale", 1.0, -1, 0.5),
            Slot("horn", "chorale moving", 0.9, -2, 0.3),
            Slot("trombone", "chorale moving", 0.95, -2, 0.5),
            Slot("tuba", "chorale bass_root_fifth", 0.9, -1, 0.2),
        ),
        meters="4/4*2 3/4*2",
        feel=(0.008, 0.018),
        drift=0.03,
        weight=0.6,
        percussion=0.0,
    ),
    Style(
        "solo piano",
        (56, 150),
        "",
        (
            Slot(
                "piano",
                "stride+melody alberti+melody flowing+solo flowing+melody pulsed+melody held_chords+melody",
                1.0,
            ),
        ),
        meters="4/4*4 4/4*4 3/4*4 6/8*3",
        modes="major minor harmonic_minor dorian",
        feel=(0.006, 0.018),
        drift=0.05,
        weight=1.3,
        percussion=0.0,
    ),
    Style(
        "solo",
        (56, 140),
        "",
        (
            Slot(
                "guitar_nylon guitar_acoustic guitar_clean harp electric_piano organ church_organ marimba vibraphone",
                "picked+melody broken+melody held_chords+melody picked broken",
                1.0,
            ),
        ),
        meters="4/4*4 3/4*4 6/8*3",
        feel=(0.006, 0.018),
        drift=0.04,
        weight=0.8,
        percussion=0.0,
    ),
    Style(
        "duo",
        (60, 150),
        "",
        (
            Slot(
                "piano guitar_nylon accordion electric_piano harp guitar_acoustic bass_acoustic",
                "flowing broken picked comped",
                1.0,
                -2,
                0.4,
            ),
            Slot(
                "violin cello flute clarinet sax trumpet oboe voice harmonica vibraphone guitar_jazz",
                "melody solo",
                1.0,
                0,
                0.4,
            ),
        ),
        meters="4/4*4 3/4*4 6/8*3",
        feel=(0.006, 0.018),
        drift=0.04,
        weight=1.0,
        percussion=0.0,
    ),
    Style(
        "orchestral",
        (60, 144),
        "",
        (
            Slot("strings_ensemble", "held_chords broken counter chords_driving", 1.0, 0, 0.9),
            Slot("contrabass cello", "bass_long bass_eighths bass_root_fifth", 0.9, -2, 0.4),
            Slot("horn trombone brass_section", "chorale stabs held_chords", 0.75, -2, 0.5),
            Slot("trumpet horn violin", "melody", 0.7, 0, 0.4),
            Slot("flute clarinet oboe", "counter solo tremolo", 0.7, -3, 0.5),
            Slot("harp celesta glockenspiel strings_pizzicato", "broken", 0.5, -5, 0.6),
            Slot("choir", "oohs", 0.3, -4, 0.9),
        ),
        meters="4/4*4 3/4*4 6/8*3",
        modes="minor major harmonic_minor lydian",
        feel=(0.008, 0.02),
        drift=0.03,
        weight=1.2,
        percussion=0.5,
    ),
    Style(
        "cinematic",
        (80, 140),
        "tribal",
        (
            Slot("bass_synth contrabass", "bass_eighths bass_long bass_sixteenths", 0.95),
            Slot("strings_ensemble", "chords_driving held_chords sequenced", 1.0, 0, 0.9),
            Slot("brass_section horn trombone", "stabs held_chords melody", 0.7, 0, 0.6),
            Slot("choir", "oohs", 0.5, -3, 0.9),
            Slot("synth_pad piano", "held_chords broken", 0.5, -5, 0.8),
            Slot("guitar_distorted", "power_long chords_driving", 0.25, -3, 0.7, "double"),
        ),
        modes="minor harmonic_minor",
        weight=0.7,
        percussion=0.6,
    ),
    Style(
        "blues",
        (54, 132),
        "shuffle",
        (
            Slot("bass_finger bass_acoustic", "bass_shuffle bass_walking", 0.96),
            Slot("guitar_overdriven guitar_clean guitar_jazz", "comped riff_single", 0.8, -3, 0.5),
            Slot("organ piano electric_piano", "comped held_chords", 0.7, -4, 0.5),
            Slot("guitar_overdriven harmonica sax guitar_clean", "solo melody", 0.75, 0, 0.2),
            Slot("voice", "melody", 0.65, 2, 0.05),
        ),
        meters="12/8*3",
        modes="mixolydian blues dorian",
        loops="blues",
        colour="dominant",
        feel=(0.006, 0.014),
        weight=1.2,
    ),
    Style(
        "six eight",
        (48, 76),
        "ballad rock shuffle",
        (
            Slot("bass_finger bass_pick", "bass_long bass_locked bass_eighths", 0.95),
            Slot("guitar_clean guitar_acoustic guitar_overdriven", "picked strummed", 0.9, -2, 0.6),
            Slot("piano organ", "pulsed broken held_chords", 0.7, -3, 0.5),
            Slot("strings_ensemble synth_pad", "held_chords counter", 0.4, -5, 0.9),
            VOX,
            BACKING,
        ),
        meters="6/8*3",
        weight=0.8,
    ),
    Style(
        "odd",
        (96, 168),
        "rock sixteenths metal",
        (
            Slot("bass_pick bass_finger", "bass_locked riff bass_eighths", 0.96),
            Slot(
                "guitar_distorted guitar_overdriven guitar_clean",
                "riff_power riff_single picked",
                1.0,
                0,
                0.8,
                "double",
            ),
            Slot("piano electric_piano organ synth_pad", "broken held_chords pulsed", 0.6, -3, 0.5),
            Slot("synth_lead sax violin", "melody solo", 0.5, -1, 0.2),
            VOX,
        ),
        meters="5/4*4 7/4*2 7/8*2 5/4*2",
        modes="minor dorian mixolydian phrygian",
        weight=1.0,
    ),
    Style(
        "a cappella",
        (66, 120),
        "",
        (
            Slot("voice", "melody", 1.0, 1, 0.1),
            Slot("backing_voice", "harmony", 0.7, -2, 0.5),
            Slot("backing_voice", "oohs chorale", 0.7, -3, 0.7),
            Slot("backing_voice", "bass_long bass_root_fifth", 0.4, -2, 0.2),
        ),
        meters="4/4*4 3/4*2",
        feel=(0.008, 0.018),
        drift=0.03,
        weight=0.6,
        percussion=0.0,
    ),
    Style(
        "synthwave",
        (78, 118),
        "rock four_on_the_floor",
        (
            Slot("bass_synth", "bass_eighths bass_sixteenths", 0.97, 1),
            Slot("synth_pad strings_synth", "held_chords", 0.9, -4, 0.9),
            Slot("synth_pluck", "sequenced broken", 0.7, -4, 0.6),
            Slot("synth_lead synth_brass", "melody solo", 0.8, 0, 0.2),
            Slot("electric_piano guitar_distorted", "comped power_long", 0.3, -3, 0.6),
            Slot("voice", "melody", 0.3, 1, 0.05),
        ),
        modes="minor major",
        feel=(0.0, 0.001),
        drift=0.0,
        weight=0.9,
    ),
    Style(
        "soul",
        (66, 112),
        "rock boom_bap shuffle",
        (
            Slot("bass_finger bass_fretless", "bass_locked bass_funk bass_long", 0.97),
            Slot("electric_piano organ piano", "comped held_chords", 0.95, -1, 0.5),
            Slot("guitar_clean guitar_jazz", "comped picked", 0.6, -5, 0.6),
            Slot("brass_section sax strings_ensemble", "stabs counter", 0.5, -3, 0.5),
            Slot("voice", "melody", 0.85, 2, 0.05),
            Slot("backing_voice", "harmony oohs", 0.5, -3, 0.6),
        ),
        colour="ninths",
        swing=(0.0, 0.3),
        percussion=0.3,
    ),
)

BY_NAME: Mapping[str, Style] = {style.name: style for style in STYLES}
