"""What guitars, keyboards and sections play in a bar: riffs, chords and broken chords."""

from collections.abc import Mapping

from training.material.bars import Bar, Figure, Player, Stroke, spans
from training.material.theory import Random, voicing


def power(bar: Bar, player: Player, pitch_class: int | None = None) -> list[int]:
    """Root, fifth and octave as low as the guitar goes."""
    low = player.low + ((bar.chord.root if pitch_class is None else pitch_class) - player.low) % 12
    return [low, low + 7, low + 12]


def riff_power(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Power chords and muted single notes between them."""
    strokes, chord = [], power(bar, player)
    cell = _cell(rng, bar)
    for step, length in spans(cell, bar.length):
        accented = step == 0 or rng.random() < 0.45
        moved = int(rng.choice([0, 0, 0, 0, 3, 5, -2, 7, 10, 1])) if step else 0
        shape = [pitch + moved for pitch in (chord if accented else chord[:1])]
        held = length if accented else min(length, bar.half * 0.6)
        strokes += [
            Stroke(step, held, pitch, 0.9 if accented else 0.7, 0.003 * order)
            for order, pitch in enumerate(shape)
            if pitch >= player.low
        ]
    return strokes


def _cell(rng: Random, bar: Bar) -> list[int]:
    kind = rng.random()
    if kind < 0.3:
        return list(range(0, bar.length, bar.half))
    if kind < 0.55 and bar.steps == 4:
        gallop = [0, 2, 3]
        return [beat * 4 + step for beat in range(bar.beats) for step in gallop]
    grid = bar.half if rng.random() < 0.6 else 1
    return [0, *(step for step in range(grid, bar.length, grid) if rng.random() < 0.5)]


def riff_single(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """A line of single notes on the low strings, out of the key's pentatonic."""
    low = power(bar, player)[0]
    minor = [0, 0, 0, 3, 5, 7, 10, 12]
    major = [0, 0, 0, 4, 7, 9, 12, 2]
    steps = _cell(rng, bar)
    moves = rng.choice(minor if 3 in bar.key.scale else major, len(steps)).tolist()
    moves[0] = 0
    return [
        Stroke(step, length, low + moves[order], 0.85)
        for order, (step, length) in enumerate(spans(steps, bar.length, held=float(rng.uniform(0.5, 0.98))))
    ]


def chords_driving(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Downstrokes of power chords in eighths, or of full chords."""
    shape = power(bar, player) if rng.random() < 0.7 or 2 not in range(len(bar.chord.tones)) else barre(bar, player)
    held = float(rng.choice([0.5, 0.9, 1.0]))
    return [
        Stroke(step, bar.half * held, pitch, 0.9 if step % bar.steps == 0 else 0.78, 0.004 * order)
        for step in range(0, bar.length, bar.half)
        for order, pitch in enumerate(shape)
    ]


def tremolo_picked(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    chord = power(bar, player)[: 1 if rng.random() < 0.5 else 2]
    up = 12 if rng.random() < 0.4 else 0
    return [
        Stroke(step, 0.9, pitch + up + (0 if step < bar.length // 2 else int(3 * player.habit)), 0.8)
        for step in range(bar.length)
        for pitch in chord
    ]


def power_long(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    halves = [0] if rng.random() < 0.6 else [0, (bar.beats // 2) * bar.steps]
    return [
        Stroke(step, length, pitch, 0.9, 0.008 * order)
        for step, length in spans(halves, bar.length, held=1.0)
        for order, pitch in enumerate(power(bar, player))
    ]


def barre(bar: Bar, player: Player) -> list[int]:
    """A guitarist's grip: five or six strings with the root below."""
    third = 3 if bar.chord.is_minor else 4 if 4 in bar.chord.tones else (bar.chord.tones[1] % 12)
    seventh = next((tone for tone in bar.chord.tones if tone in (9, 10, 11)), None)
    e_root, a_root = 40 + (bar.chord.root - 4) % 12, 45 + (bar.chord.root - 9) % 12
    if e_root <= a_root - 1 or e_root < 45:
        grip = [e_root, e_root + 7, e_root + (12 if seventh is None else seventh), e_root + 12 + third, e_root + 19]
        grip.append(e_root + 24)
    else:
        grip = [a_root, a_root + 7, a_root + (12 if seventh is None else seventh), a_root + 12 + third, a_root + 19]
    up = 12 if grip[0] < player.low else 0
    return [pitch + up for pitch in grip if player.low <= pitch + up <= player.high] or [player.low + 12]


STRUMS = ("D.D.D.D.", "D.DUDUDU", "D..U.UDU", "D.DU.UDU", "D...D.DU", "D.D.DUDU", "DUDUDUDU", "D..UD.DU")


def strummed(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Down and up over the strings, at times only some of them."""
    pattern = STRUMS[int(rng.integers(len(STRUMS)))]
    shape, strokes = barre(bar, player), []
    places = [step for step in range(0, bar.length, bar.half) if pattern[(step // bar.half) % len(pattern)] != "."]
    across = float(rng.uniform(0.006, 0.03))
    for step, length in spans(places or [0], bar.length):
        up = pattern[(step // bar.half) % len(pattern)] == "U"
        strings = shape[::-1][: int(rng.integers(3, 5))] if up else shape
        strength = (0.6 if up else 0.8) * rng.uniform(0.85, 1.1)
        strokes += [
            Stroke(step, length, pitch, min(strength, 1.0), across * order / max(len(strings) - 1, 1))
            for order, pitch in enumerate(strings)
        ]
    return strokes


def picked(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Broken chords over the strings, notes ringing on."""
    shape = barre(bar, player)
    order = [0, 2, 3, 4, 3, 2, 3, 2] if rng.random() < 0.5 else [0, 3, 1, 4, 2, 3, 1, 4]
    grid = bar.half if rng.random() < 0.8 else 1
    ring = float(rng.uniform(1, 6))
    return [
        Stroke(
            step,
            min(grid * ring, bar.length - step),
            shape[order[index % len(order)] % len(shape)],
            0.78 if step % bar.steps == 0 else 0.62,
        )
        for index, step in enumerate(range(0, bar.length, grid))
    ]


def skank(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Short chords off the beat."""
    player.hand = voicing(bar.chord, max(player.low, 52), min(player.high, 79), near=player.hand)
    length = float(rng.uniform(0.25, 0.6)) * bar.half
    on = bool(player.habit < 0.3)
    return [
        Stroke(beat * bar.steps + (0 if on and beat % 2 else bar.half), length, pitch, 0.78, 0.003 * order)
        for beat in range(bar.beats)
        if not on or beat % 2
        for order, pitch in enumerate(player.hand)
    ]


def held_chords(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    middle = int(player.low + (player.high - player.low) * 0.5)
    voices = int(rng.choice([3, 4, 4, 5]))
    player.hand = voicing(bar.chord, max(player.low, middle - 14), middle + 14, near=player.hand, voices=voices)
    return [Stroke(0, bar.length * 0.99, pitch, 0.7) for pitch in player.hand]


def comped(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Chords in a syncopated rhythm."""
    middle = min(max((player.low + player.high) // 2, 58), 68)
    player.hand = voicing(bar.chord, middle - 12, middle + 12, near=player.hand, voices=int(rng.choice([3, 4])))
    grid = bar.half
    steps = [step for step in range(0, bar.length, grid) if rng.random() < 0.42] or [0]
    short = bool(rng.random() < 0.5)
    strokes = []
    for step, length in spans(steps, bar.length, longest=bar.half * 0.7 if short else 99):
        strength = float(rng.uniform(0.55, 0.9))
        strokes += [Stroke(step, length, pitch, strength, 0.004 * order) for order, pitch in enumerate(player.hand)]
    return strokes


def pulsed(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Chords on each beat or half of one."""
    middle = min(max((player.low + player.high) // 2, 58), 66)
    player.hand = voicing(bar.chord, middle - 10, middle + 12, near=player.hand, voices=int(rng.choice([3, 3, 4])))
    grid = bar.steps if rng.random() < 0.6 else bar.half
    low = [bar.chord.bass + 12 * (max(player.low, 36) // 12)] if rng.random() < 0.5 else []
    held = float(rng.uniform(0.5, 0.98))
    return [
        Stroke(step, grid * held, pitch, 0.78 if step % bar.steps == 0 else 0.64)
        for step in range(0, bar.length, grid)
        for pitch in [*(low if step % (2 * bar.steps) == 0 else []), *player.hand]
    ]


def broken(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Arpeggios over two octaves."""
    middle = (player.low + player.high) // 2
    pool = [pitch for pitch in range(middle - 12, middle + 14) if pitch % 12 in bar.chord.classes] or [middle]
    grid = 1 if bar.steps > 2 and rng.random() < 0.4 else bar.half
    path = list(range(len(pool)))
    shape = [path, path[::-1], path + path[-2:0:-1], rng.permutation(path).tolist()][int(rng.integers(4))]
    held = float(rng.choice([0.5, 0.95, 2.5]))
    return [
        Stroke(
            step, min(grid * held, bar.length - step), pool[shape[index % len(shape)]], 0.6 + 0.15 * (index % 2 == 0)
        )
        for index, step in enumerate(range(0, bar.length, grid))
    ]


def sequenced(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """A machine's ostinato in sixteenths."""
    middle = (player.low + player.high) // 2
    pool = [pitch for pitch in range(middle - 10, middle + 12) if pitch % 12 in bar.chord.classes] or [middle]
    pattern = rng.integers(0, len(pool), int(rng.choice([3, 4, 6, 8, 8])))
    rests = rng.random(16) < rng.uniform(0, 0.5)
    return [
        Stroke(step, 0.8, pool[int(pattern[step % len(pattern)])], 0.8 if step % bar.steps == 0 else 0.66)
        for step in range(bar.length)
        if not rests[step % 16]
    ]


def stabs(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """A few hits of the whole section, now and then a fall."""
    if rng.random() < 0.35:
        return []
    middle = min((player.low + player.high) // 2, 66)
    player.hand = voicing(bar.chord, middle - 8, middle + 12, near=player.hand)
    steps = sorted({int(rng.integers(0, bar.length // bar.half)) * bar.half for _ in range(int(rng.integers(1, 5)))})
    short = rng.random() < 0.6
    return [
        Stroke(step, length, pitch, 0.9)
        for step, length in spans(steps, bar.length, longest=bar.half * 0.6 if short else bar.steps * 2.0)
        for pitch in player.hand
    ]


def montuno(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    middle = min((player.low + player.high) // 2, 64)
    player.hand = voicing(bar.chord, middle - 6, middle + 10, near=player.hand, voices=3)
    pattern = "x.x.xx.x.xx.x.xx" if player.habit < 0.5 else "x.xx.x.xx.x.xx.x"
    return [
        Stroke(step, 1.4, pitch, 0.78)
        for step in range(bar.length)
        if pattern[step % 16] == "x"
        for pitch in [player.hand[0] - 12, *player.hand]
    ]


def stride(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """A pianist's left hand: bass and chord by turns."""
    low = 33 + (bar.chord.bass - 33) % 12
    player.hand = voicing(bar.chord, 48, 63, near=player.hand, voices=3)
    strokes = []
    for beat in range(bar.beats):
        if beat % 2 == 0:
            pitch = low if beat % 4 == 0 else low + 7
            strokes += [Stroke(beat * bar.steps, bar.steps * 0.9, pitch, 0.75)]
            if player.habit < 0.3:
                strokes += [Stroke(beat * bar.steps, bar.steps * 0.9, pitch - 12 + 24 * (pitch < 36), 0.7)]
        else:
            strokes += [Stroke(beat * bar.steps, bar.steps * 0.7, pitch, 0.6) for pitch in player.hand]
    return strokes


def alberti(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    shape = voicing(bar.chord, 45, 62, near=player.hand, voices=3)
    player.hand = shape
    order = ([0, 2, 1, 2], [0, 1, 2, 1], [0, 1, 2])[int(3 * player.habit)]
    return [
        Stroke(step, bar.half * 1.1, shape[order[index % len(order)] % len(shape)], 0.55)
        for index, step in enumerate(range(0, bar.length, bar.half))
    ]


def flowing(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """A left hand over two octaves and a half, with the pedal down."""
    low = 33 + (bar.chord.bass - 33) % 12
    pool = [low, low + 7, *(pitch for pitch in range(low + 12, low + 29) if pitch % 12 in bar.chord.classes)]
    path = list(range(min(len(pool), 6)))
    path += path[-2:0:-1]
    return [
        Stroke(step, bar.length - step, pool[path[index % len(path)]], 0.62 if index else 0.72)
        for index, step in enumerate(range(0, bar.length, bar.half))
    ]


CHORDS: Mapping[str, Figure] = {
    figure.__name__: figure
    for figure in (
        riff_power,
        riff_single,
        chords_driving,
        tremolo_picked,
        power_long,
        strummed,
        picked,
        skank,
        held_chords,
        comped,
        pulsed,
        broken,
        sequenced,
        stabs,
        montuno,
        stride,
        alberti,
        flowing,
    )
}
