"""Draw, sound and encode the sample film: `python samples/generate.py` (see README.md beside it)."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import imageio_ffmpeg
from atlas import cues, film, sound
from scipy.io import wavfile

HERE = Path(__file__).parent
WIDTH, HEIGHT = 1280, 720
SIZE_LIMIT = 7_900_000  # bytes; all samples together stay under 8 MB
BITRATE = 860_000  # bit/s of the picture: what fits beside the sound


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=HERE / "atlas-720p25.mp4", help="the file to write")
    parser.add_argument("--still", type=int, metavar="FRAME", help="write only this frame, as a PNG, to the file of --to")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)  # one order of sums, whatever the machine
    if arguments.still is not None:
        picture = film.frame(arguments.still, WIDTH, HEIGHT)
        cv2.imwrite(str(arguments.to), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return
    with tempfile.TemporaryDirectory() as folder:
        track = Path(folder) / "sound.wav"
        seconds = film.FRAMES / film.FPS
        wavfile.write(track, sound.RATE, sound.mix_sound(cues.read_cues(HERE / "atlas.fr.vtt"), seconds, film.SEED))
        made = Path(folder) / "film.mp4"
        encode(track, made)
        size = made.stat().st_size
        if size > SIZE_LIMIT:
            sys.exit(f"{arguments.to}: {size} bytes are more than {SIZE_LIMIT}; lower BITRATE in samples/generate.py")
        arguments.to.write_bytes(made.read_bytes())
    print(f"{arguments.to}: {film.FRAMES} frames, {size} bytes")


def encode(track: Path, made: Path) -> None:
    """Feed the frames to ffmpeg as they are drawn."""
    encoder = subprocess.Popen(encoder_argv(track, made), stdin=subprocess.PIPE)
    assert encoder.stdin is not None
    try:
        for number, picture in enumerate(film.play(WIDTH, HEIGHT)):
            encoder.stdin.write(picture.tobytes())
            if sys.stderr.isatty():
                print(f"\rframe {number + 1} of {film.FRAMES}", end="", file=sys.stderr)
    finally:
        encoder.stdin.close()
        if encoder.wait() != 0:
            sys.exit("ffmpeg could not encode the film; its own words stand above")


def encoder_argv(track: Path, made: Path) -> list[str]:
    return [
        imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "warning", "-y",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", str(film.FPS), "-i", "pipe:0",
        "-i", str(track),
        # The frames are RGB: say which matrix turns them into YCbCr, and tag the result with it.
        "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int+bitexact,format=yuv420p",
        "-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv",
        # One thread and bitexact: the same frames give the same file.
        "-c:v", "libx264", "-profile:v", "high", "-preset", "medium",
        "-b:v", str(BITRATE), "-maxrate", "2500k", "-bufsize", "10000k", "-g", "250",
        "-threads", "1",
        "-c:a", "aac", "-b:a", "64k", "-ac", "2", "-ar", str(sound.RATE),
        "-map_metadata", "-1", "-metadata", "title=Atlas",
        "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
        "-movflags", "+faststart", str(made),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
