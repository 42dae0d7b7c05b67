"""Cover for a song without one: drawn from its title, the same for the same title."""

import colorsys
import hashlib
import math
import random
from io import BytesIO

import resvg_py
from PIL import Image

from antiphon.music.video.palette import Colour, css

SIDE = 1000
"""The artwork's own units; it is rendered at any size."""

CELLS = 12
"""A picture is drawn at a multiple of this size, which three and four divide."""


def draw_cover(seed: str, size: int) -> Image.Image:
    """Artwork of ``size`` × ``size`` pixels, RGB, that depends on nothing but ``seed``."""
    rng = random.Random(hashlib.sha256(seed.encode("utf-8", "replace")).digest())
    colours = _colours(rng)
    composition = rng.choice((_dunes, _rings, _discs, _weave))
    defs = "".join(
        f'<linearGradient id="g{i}" x1="{rng.uniform(0, 0.4):.3f}" y1="0" x2="{rng.uniform(0.6, 1):.3f}" y2="1">'
        f'<stop offset="0" stop-color="{css(one)}"/><stop offset="1" stop-color="{css(other)}"/></linearGradient>'
        for i, (one, other) in enumerate(zip(colours, colours[1:] + colours[:1], strict=True))
    )
    shine = (
        '<radialGradient id="shine" cx=".25" cy=".1" r="1.1"><stop offset="0" stop-color="#fff" stop-opacity=".28"/>'
        '<stop offset=".55" stop-color="#fff" stop-opacity="0"/>'
        '<stop offset="1" stop-color="#000" stop-opacity=".35"/></radialGradient>'
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}"><defs>{defs}{shine}</defs>'
        f'<rect width="{SIDE}" height="{SIDE}" fill="url(#g0)"/>{composition(rng, colours)}'
        f'<rect width="{SIDE}" height="{SIDE}" fill="url(#shine)"/></svg>'
    )
    # Where the cells of a grid end between two pixels, what is beneath shows through.
    side = -(-size // CELLS) * CELLS
    drawn = resvg_py.svg_to_bytes(svg_string=svg, width=side, height=side, skip_system_fonts=True)
    return Image.open(BytesIO(drawn)).convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


def _colours(rng: random.Random) -> list[Colour]:
    """Five colours from deep to light that stay within a third of the colour circle, and one from across it."""
    start = rng.random()
    turn = rng.choice((-1, 1)) * rng.uniform(0.16, 0.34)
    steps = [(0.0, 0.16, 0.62), (0.3, 0.3, 0.66), (0.6, 0.48, 0.72), (0.85, 0.62, 0.8), (1.0, 0.76, 0.88)]
    circle = [(start + turn * where, lightness, saturation) for where, lightness, saturation in steps]
    circle.append((start + turn / 2 + 0.5, 0.66, 0.85))
    return [_rgb(hue % 1, lightness, saturation) for hue, lightness, saturation in circle]


def _rgb(hue: float, lightness: float, saturation: float) -> Colour:
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, lightness, saturation))
    return red, green, blue


def _dunes(rng: random.Random, colours: list[Colour]) -> str:
    """Layered waves under a sun."""
    x, y, radius = rng.uniform(250, 750), rng.uniform(240, 420), rng.uniform(110, 190)
    parts = [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.0f}" fill="{css(colours[5])}"/>']
    layers = rng.randint(4, 6)
    for layer in range(layers):
        base = 430 + 520 * layer / layers
        waves = [(rng.uniform(30, 90), rng.uniform(0.5, 1.8), rng.uniform(0, math.tau)) for _ in range(2)]
        points = " ".join(
            f"{px},{base + sum(a * math.sin(f * math.tau * px / SIDE + p) for a, f, p in waves):.1f}"
            for px in range(-10, SIDE + 20, 10)
        )
        gradient = (4 - layer) % 5
        parts.append(f'<polygon points="{points} 1010,1010 -10,1010" fill="url(#g{gradient})" fill-opacity=".86"/>')
    return "".join(parts)


def _rings(rng: random.Random, colours: list[Colour]) -> str:
    """Broken concentric arcs, as of a record seen from near."""
    x, y = rng.choice(((500, 500), (180, 820), (820, 820), (820, 200)))
    reach, count = (470 if x == 500 else 980), rng.randint(9, 13)
    parts = []
    for ring in range(count, 0, -1):
        radius = reach * ring / count
        width = reach / count * rng.uniform(0.35, 0.85)
        length = math.tau * radius
        dash, offset = length * rng.uniform(0.35, 0.9), length * rng.random()
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" fill="none" stroke="{css(rng.choice(colours[1:]))}" '
            f'stroke-width="{width:.1f}" stroke-linecap="round" stroke-dasharray="{dash:.1f} {length - dash:.1f}" '
            f'stroke-dashoffset="{offset:.1f}" stroke-opacity="{rng.uniform(0.55, 1):.2f}"/>'
        )
    parts.append(f'<circle cx="{x}" cy="{y}" r="{reach / count * 0.42:.1f}" fill="{css(colours[5])}"/>')
    return "".join(parts)


def _discs(rng: random.Random, colours: list[Colour]) -> str:
    """Large translucent discs that overlap."""
    parts = []
    for number in range(rng.randint(5, 8)):
        gradient = rng.randint(1, 5)
        parts.append(
            f'<circle cx="{rng.uniform(80, 920):.0f}" cy="{rng.uniform(80, 920):.0f}" '
            f'r="{rng.uniform(120, 420) * (1 - 0.06 * number):.0f}" fill="url(#g{gradient})" fill-opacity=".74"/>'
        )
    x, y = rng.uniform(300, 700), rng.uniform(300, 700)
    parts.append(
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{rng.uniform(60, 110):.0f}" fill="none" '
        f'stroke="{css(colours[5])}" stroke-width="26"/>'
    )
    return "".join(parts)


def _weave(rng: random.Random, colours: list[Colour]) -> str:
    """Quarter circles on a grid."""
    cells = rng.choice((3, 4))
    side = SIDE / cells
    parts = []
    for row in range(cells):
        for column in range(cells):
            x, y = column * side, row * side
            fill, ground = rng.sample(colours, 2)
            turn = 90 * rng.randint(0, 3)
            parts.append(
                f'<g transform="rotate({turn} {x + side / 2:.3f} {y + side / 2:.3f})">'
                f'<rect x="{x:.3f}" y="{y:.3f}" width="{side:.3f}" height="{side:.3f}" fill="{css(ground)}"/>'
                f'<path d="M{x:.3f} {y:.3f}h{side:.3f}a{side:.3f} {side:.3f} 0 0 1 -{side:.3f} {side:.3f}z" '
                f'fill="{css(fill)}"/></g>'
            )
    return "".join(parts)
