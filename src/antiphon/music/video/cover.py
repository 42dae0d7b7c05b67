"""Covers from outside: checked, opened safely, made square."""

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from antiphon.errors import BadParameter

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What is opened: formats that Pillow reads by itself, none that starts another program."""

MAX_PIXELS = 100_000_000
"""Of a picture that must be decoded whole (400 MB). JPEG is reduced while it is decoded and may be larger."""
MAX_JPEG_PIXELS = 170_000_000
MAX_SIDE_PIXELS = 20_000
"""Of either side: what is resized costs as much as its longer side is long."""


def check_cover(path: Path) -> None:
    """Opens and decodes a cover once, so that a bad one is refused at upload.

    Raises:
        BadParameter: it is not a picture, is damaged, or is too large; the message names the field ``cover``.
    """
    open_cover(path, 64)


def open_cover(path: Path, size: int) -> Image.Image:
    """The middle square of a picture in any of ``FORMATS``, upright, sRGB, ``size`` × ``size`` pixels.

    Of an animation the first frame is taken; transparency is laid on white if the picture is dark, else on near-black.

    Raises:
        BadParameter: as ``check_cover``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as picture:
                _refuse_bomb(picture)
                picture.draft("RGB", (2 * size, 2 * size))
                ImageOps.exif_transpose(picture, in_place=True)
                return _square(_rgb(_reduced(picture, 2 * size)), size)
    except BadParameter:
        raise
    except Image.DecompressionBombError:
        raise BadParameter(_too_large(MAX_JPEG_PIXELS)) from None
    except MemoryError:
        raise BadParameter("'cover' needs too much memory to be read. Send a smaller picture.") from None
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged bytes
        raise BadParameter(
            f"'cover' is not a picture that can be read ({type(error).__name__}). "
            "Send a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file."
        ) from error


def png(picture: Image.Image) -> bytes:
    """The picture as PNG bytes."""
    buffer = BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _refuse_bomb(picture: Image.Image) -> None:
    if max(picture.size) > MAX_SIDE_PIXELS:
        raise BadParameter(
            f"'cover' has {picture.width:,} × {picture.height:,} pixels: at most {MAX_SIDE_PIXELS:,} are taken on "
            "either side. Send a smaller picture."
        )
    limit = MAX_JPEG_PIXELS if picture.format == "JPEG" else MAX_PIXELS
    if picture.width * picture.height > limit:
        raise BadParameter(_too_large(limit))


def _too_large(limit: int) -> str:
    return f"'cover' has too many pixels: at most {limit // 1_000_000} million are taken. Send a smaller picture."


def _reduced(picture: Image.Image, side: int) -> Image.Image:
    """Both sides divided by one whole number as long as they are ``side`` or more, before anything makes copies."""
    factor = min(picture.size) // side
    if factor < 2:
        return picture
    if picture.mode.startswith(("I", "F")):
        return picture.resize((picture.width // factor, picture.height // factor), Image.Resampling.NEAREST)
    if picture.mode in {"P", "PA", "1"}:  # whose pixels have no mean
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture.reduce(factor)


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, np.float64)
        top = 65535.0 if values.max() > 255 else 255.0
        return Image.fromarray((np.clip(values / top, 0, 1) * 255).astype(np.uint8)).convert("RGB")
    if not picture.has_transparency_data:
        return _standard(picture)
    seen = picture.convert("RGBA")
    seen.thumbnail((2048, 2048))
    alpha = np.asarray(seen.getchannel("A"), np.float64)
    light = float((np.asarray(seen.convert("L")) * alpha).sum() / max(alpha.sum(), 1))
    ground = Image.new("RGBA", seen.size, (244, 244, 246, 255) if light < 110 else (22, 23, 28, 255))
    return Image.alpha_composite(ground, seen).convert("RGB")


def _standard(picture: Image.Image) -> Image.Image:
    """The picture in sRGB, by its own colour profile where it has one that can be used."""
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in {"RGB", "CMYK"}:
        try:
            given = ImageCms.ImageCmsProfile(BytesIO(profile))
            standard = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(picture, given, standard, outputMode="RGB") or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return picture.convert("RGB")


def _square(picture: Image.Image, size: int) -> Image.Image:
    return ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
