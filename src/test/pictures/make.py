"""Makes the JPEG files in src/test/resources/zerofive/data/pictures, for ImageFileTest.

Beside each lies a PNG with the grey pixels that Pillow reads in it. Run, from anywhere (numpy and
Pillow; the files in the repository are those of Pillow 12.3):

    python3 src/test/pictures/make.py
"""
import io
import pathlib
import struct

import numpy
from PIL import Image

OUT = pathlib.Path(__file__).parent.parent / "resources/zerofive/data/pictures"
WIDTH, HEIGHT = 27, 19  # no multiples of a block
SOS, SOF0, APP0, APP14 = 0xDA, 0xC0, 0xE0, 0xEE
random = numpy.random.default_rng(5)


def picture(mode, bands):
    coarse = random.integers(0, 256, (HEIGHT // 4, WIDTH // 4, bands)).astype(numpy.uint8)
    planes = [Image.fromarray(coarse[:, :, i]).resize((WIDTH, HEIGHT), Image.BICUBIC) for i in range(bands)]
    return Image.merge(mode, planes)


def jpeg(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", optimize=True, **options)
    return file.getvalue()


def segments(file):
    """A pair (marker, segment) for each up to the first scan's header, and what follows that."""
    found, at = [], 2
    while not found or found[-1][0] != SOS:
        length = 2 + struct.unpack_from(">H", file, at + 2)[0]
        found.append((file[at + 1], file[at:at + length]))
        at += length
    return found, file[at:]


def changed(file, change):
    """Replaces each segment by change(marker, segment)."""
    found, rest = segments(file)
    return file[:2] + b"".join(change(*segment) for segment in found) + rest


def without(file, marker):
    return changed(file, lambda found, segment: b"" if found == marker else segment)


def with_adobe(file, transform):
    return file[:2] + b"\xff\xee\x00\x0eAdobe" + struct.pack(">HHHB", 100, 0, 0, transform) + file[2:]


def with_names(file, names):
    """Gives the three components other names, in frame and scan."""
    def rename(marker, segment):
        renamed = bytearray(segment)
        if marker == SOF0:
            renamed[10:19:3] = names
        elif marker == SOS:
            renamed[5:11:2] = names
        return bytes(renamed)
    return changed(file, rename)


def with_zeros_behind_scan(file):
    return changed(file, lambda marker, segment: segment[:-3] + bytes(3) if marker == SOS else segment)


rgb, cmyk = picture("RGB", 3), picture("CMYK", 4)
full, half = jpeg(rgb, subsampling="4:4:4"), jpeg(rgb, subsampling="4:2:0")
inks, half_inks = jpeg(cmyk, subsampling="4:4:4"), jpeg(cmyk, subsampling="4:2:0")
bare, bare_inks = without(full, APP0), without(inks, APP14)
files = {
    "ycc": full,
    "ycc-half-colour": half,
    "ycc-progressive": jpeg(rgb, subsampling="4:2:2", progressive=True),
    "ycc-no-marker": with_names(bare, b"\0\1\2"),
    "ycc-jfif-before-adobe": with_adobe(full, 0),
    "ycc-zeros-behind-scan": with_zeros_behind_scan(half),
    "rgb-adobe": with_adobe(bare, 0),
    "rgb-named": with_names(bare, b"RGB"),
    "cmyk": inks,
    "cmyk-no-marker": bare_inks,
    "ycck": with_adobe(bare_inks, 2),
    "ycck-half-colour": with_adobe(without(half_inks, APP14), 2),
    "ycck-other-transform": with_adobe(bare_inks, 1),
}
OUT.mkdir(parents=True, exist_ok=True)
for name, file in files.items():
    (OUT / f"{name}.jpg").write_bytes(file)
    Image.open(io.BytesIO(file)).convert("L").save(OUT / f"{name}.png", optimize=True)
