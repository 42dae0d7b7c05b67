"""What basses play in a bar."""

from collections.abc import Mapping

from training.material.bars import Bar, Figure, Player, Stroke, approach, root, spans, tones
from training.material.theory import Random


def bass_eighths(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    low, held = root(bar, player), rng.uniform(0.6, 0.98)
    leap = int(rng.choice([0, 0, 0, 7, 12]))
    strokes = []
    for step in range(0, bar.length, bar.half):
        pitch = low + (leap if step % (2 * bar.steps) >= 2 * bar.steps - bar.half else 0)
        strokes.append(Stroke(step, bar.half * held, pitch, 0.85 if step % bar.steps == 0 else 0.72))
    if rng.random() < 0.4 or bar.last:
        strokes[-1] = strokes[-1]._replace(pitch=approach(rng, bar, player))
    return strokes


def bass_locked(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """With the kick drum, and a little more."""
    low = root(bar, player)
    steps = sorted({0, *bar.kicks, *(step for step in range(bar.length) if rng.random() < 0.07)})
    leaps = [0, *rng.choice([0, 0, 0, 0, 7, 12, 10], len(steps)).tolist()]
    longest = float(rng.choice([1.5, 3, 99]))
    strokes = [
        Stroke(step, length, low + leaps[order], 0.85)
        for order, (step, length) in enumerate(spans(steps, bar.length, longest=longest * bar.half))
    ]
    if len(strokes) > 1 and rng.random() < 0.4:
        strokes[-1] = strokes[-1]._replace(pitch=approach(rng, bar, player))
    return strokes


def bass_root_fifth(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    low, strokes = root(bar, player), []
    for beat in range(0, bar.beats, 2):
        fifth = low + 7 if low + 7 <= player.high or low - 5 < player.low else low - 5
        strokes.append(Stroke(beat * bar.steps, bar.steps * 1.6, low if beat % 4 == 0 else fifth, 0.82))
        if rng.random() < 0.25:
            strokes.append(Stroke((beat + 2) * bar.steps - bar.half, bar.half * 0.9, low, 0.65))
    if bar.following.bass != bar.chord.bass and rng.random() < 0.4 and bar.beats > 2:
        strokes.append(Stroke((bar.beats - 1) * bar.steps, bar.steps * 0.9, approach(rng, bar, player), 0.75))
    return [stroke for stroke in strokes if stroke.step < bar.length]


def bass_walking(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    now = player.line if player.low <= player.line <= player.high else root(bar, player)
    first = root(bar, player)
    now = min((first, first + 12), key=lambda pitch: abs(pitch - now))
    strokes, up = [], bool(rng.random() < 0.5)
    for beat in range(bar.beats):
        if beat == bar.beats - 1:
            aim = root(bar, player, bar.following.bass)
            aim = min((aim, aim + 12), key=lambda pitch: abs(pitch - now))
            now = aim + int(rng.choice([-1, 1, -1, 2]))
        elif beat:
            now = bar.key.step(now, int(rng.choice([1, 1, 2])) * (1 if up else -1))
            if rng.random() < 0.5:
                now = min((now + away for away in range(-2, 3)), key=lambda pitch: pitch % 12 not in bar.chord.classes)
            if now > player.high - 3 or now < player.low + 1:
                up = not up
        strokes.append(Stroke(beat * bar.steps, bar.steps * 0.92, now, float(rng.uniform(0.7, 0.88))))
        if rng.random() < 0.12 and bar.steps > 1:
            strokes.append(Stroke((beat + 1) * bar.steps - 1, 0.6, now, 0.5))
    player.line = now
    return strokes


def bass_funk(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Sixteenths with octaves and dead notes."""
    low, strokes = root(bar, player), []
    busy = rng.uniform(0.3, 0.65)
    scale = [0, 0, 0, 12, 12, 7, 10, 5]
    steps = [0, *(step for step in range(1, bar.length) if rng.random() < busy or step in bar.kicks)]
    for step, length in spans(steps, bar.length, longest=float(rng.uniform(0.7, 2.5))):
        pitch = low + (0 if step == 0 else int(rng.choice(scale)))
        strokes.append(Stroke(step, length, pitch, float(rng.uniform(0.6, 0.98))))
    return strokes


def bass_slap(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Thumb on the beats, popped octaves between."""
    low, strokes = root(bar, player), []
    for step in range(bar.length):
        if step % bar.steps == 0 and rng.random() < 0.75:
            strokes.append(Stroke(step, float(rng.choice([0.6, 1.2, 1.8])), low, 0.9))
        elif step % bar.half == 0 and rng.random() < 0.6:
            strokes.append(Stroke(step, 0.7, low + int(rng.choice([12, 12, 10, 7])), 0.97))
        elif rng.random() < 0.15:
            strokes.append(Stroke(step, 0.3, low, 0.5))
    return strokes


def bass_dub(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    low, over = root(bar, player), tones(bar)
    steps = [step for step in range(0, bar.length, bar.half) if rng.random() < 0.5]
    return [
        Stroke(step, length, low + int(rng.choice([0, 0, *over])), 0.88)
        for step, length in spans(steps, bar.length, longest=3.0 * bar.half)
    ]


def bass_long(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    low = root(bar, player)
    if rng.random() < 0.5 or bar.beats < 4:
        return [Stroke(0, bar.length * 0.97, low, 0.8)]
    other = low + int(rng.choice([0, 0, 7, 12]))
    cut = bar.steps * int(rng.choice([2, 3]))
    return [Stroke(0, cut * 0.96, low, 0.8), Stroke(cut, (bar.length - cut) * 0.95, other, 0.74)]


def bass_sub(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """An 808: long notes with the kick, some an octave up or a short roll."""
    low = root(bar, player)
    steps = sorted({0, *(step for step in bar.kicks if rng.random() < 0.8)})
    return [
        Stroke(step, length, low + int(rng.choice([0, 0, 0, 0, 12, 7])), 0.95)
        for step, length in spans(steps, bar.length, longest=float(rng.choice([3.0, 8.0, 99])))
    ]


def bass_offbeat(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    low, held = root(bar, player), rng.uniform(0.4, 0.95)
    leap = int(rng.choice([0, 0, 12]))
    return [
        Stroke(beat * bar.steps + bar.half, bar.half * held, low + leap * (beat % 2), 0.88) for beat in range(bar.beats)
    ]


def bass_octaves(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Disco: octaves by turns in eighths."""
    low, held = root(bar, player), rng.uniform(0.5, 0.9)
    return [
        Stroke(step, bar.half * held, low + 12 * (order % 2), 0.85)
        for order, step in enumerate(range(0, bar.length, bar.half))
    ]


def bass_sixteenths(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    low, gap = root(bar, player), bool(rng.random() < 0.6)
    moves = rng.choice([0, 0, 0, 0, 12, 7, 10], bar.steps).tolist()
    return [
        Stroke(step, rng.uniform(0.5, 0.9), low + moves[step % bar.steps], 0.85)
        for step in range(bar.length)
        if not (gap and step % bar.steps == 0)
    ]


def bass_shuffle(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    """Boogie: up and down the sixth chord."""
    low, strokes = root(bar, player), []
    third = 3 if bar.chord.is_minor else 4
    path = ([0, third, 7, 9, 10, 9, 7, third], [0, 0, 7, 7, 9, 9, 7, 7], [0, 12, 0, 12])[int(3 * player.habit) % 3]
    for beat in range(bar.beats):
        pitch = low + path[(beat + bar.beats * (bar.place % 2)) % len(path)]
        strokes.append(Stroke(beat * bar.steps, bar.steps * 0.6, pitch, 0.85))
        if rng.random() < 0.6 and bar.steps > 1:
            strokes.append(Stroke((beat + 1) * bar.steps - 1, 0.8, pitch, 0.65))
    return strokes


def bass_tumbao(rng: Random, bar: Bar, player: Player) -> list[Stroke]:
    low, nearest = root(bar, player), root(bar, player, bar.following.bass)
    fifth = low + 7 if low + 7 <= player.high else low - 5
    first = bar.steps + bar.half
    strokes = [Stroke(first, bar.half * 2.8, fifth, 0.8)]
    if bar.beats > 3:
        strokes.append(Stroke(3 * bar.steps, bar.steps * 1.4, nearest, 0.85))
    if bar.place == 0:
        strokes.insert(0, Stroke(0, first * 0.9, low, 0.85))
    return strokes


BASSES: Mapping[str, Figure] = {
    figure.__name__: figure
    for figure in (
        bass_eighths,
        bass_locked,
        bass_root_fifth,
        bass_walking,
        bass_funk,
        bass_slap,
        bass_dub,
        bass_long,
        bass_sub,
        bass_offbeat,
        bass_octaves,
        bass_sixteenths,
        bass_shuffle,
        bass_tumbao,
    )
}
