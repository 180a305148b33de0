"""Which filters make a master fit for every rung: progressive, square pixels, SDR; and in which colours it is shown. Pure."""

from mediaforge.media import VideoTrack

# Tape and DVD sources that carry no colour tags are BT.601; larger pictures are BT.709.
_SD_HEIGHT = 576


def cleaning_filters(video: VideoTrack) -> tuple[tuple[str, dict[str, str]], ...]:
    """(filter name, options) to apply once, before the rungs are split off."""
    filters: list[tuple[str, dict[str, str]]] = []
    if video.is_interlaced:
        # send_frame keeps the frame rate: 25i becomes 25p. `tb` and `tt` are top field first, `bb` and `bt` bottom.
        parity = "bff" if video.field_order.startswith("b") else "tff"
        filters.append(("bwdif", {"mode": "send_frame", "parity": parity}))
    if video.is_hdr:
        filters += [
            ("zscale", {"t": "linear", "npl": "203"}),  # BT.2408: HDR reference white is 203 cd/m2
            ("format", {"pix_fmts": "gbrpf32le"}),
            ("zscale", {"p": "bt709"}),
            ("tonemap", {"tonemap": "hable", "desat": "0"}),
            ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
        ]
    return tuple(filters)


def input_matrix(video: VideoTrack) -> str:
    """The matrix of the source's YCbCr, as the scale filter names it."""
    if video.is_hdr or video.color_space == "bt709":
        return "bt709"
    if video.color_space in ("bt470bg", "smpte170m"):
        return "bt601"
    if video.color_space.startswith("bt2020"):
        return "bt2020"
    return "bt601" if video.height <= _SD_HEIGHT else "bt709"


def output_matrix(video: VideoTrack) -> str:
    """The matrix of all that is made from a source: BT.601 stays what it is, all else becomes BT.709.

    From one matrix to the other every sample is rounded anew: at 480p that costs 1 VMAF, or a quarter of the bits.
    """
    return "bt601" if input_matrix(video) == "bt601" else "bt709"


def output_tags(video: VideoTrack) -> dict[str, str]:
    """What is written into all that is made from a source, as the setparams filter names it."""
    matrix = {"bt601": "smpte170m", "bt709": "bt709"}[output_matrix(video)]
    return {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": matrix, "range": "tv"}


def findings(video: VideoTrack) -> tuple[str, ...]:
    """What is unusual about a picture, and what will be done about it: one sentence each, for `probe`."""
    found = []
    if video.is_interlaced:
        found.append(f"interlaced ({video.field_order}): it will be deinterlaced at the same frame rate")
    if video.sar != 1:
        width, height = video.display_size
        found.append(
            f"pixels are {video.sar.numerator}:{video.sar.denominator}: it will be shown as {width}x{height} square pixels"
        )
    if video.is_hdr:
        found.append(f"HDR ({video.color_transfer}): it will be tone-mapped to SDR BT.709")
    return tuple(found)
