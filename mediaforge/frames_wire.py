"""What goes over the pipe between frames.py and its child: apart, so that a child that sends no picture loads no numpy."""

import struct

FRAME_HEADER = struct.Struct("<cqqIII")  # kind, pts numerator, pts denominator, height, width, channels
REPORT_HEADER = struct.Struct("<cI")  # kind, length of the JSON that follows
SOUND_HEADER = struct.Struct("<cI")  # kind, samples
FRAME, SOUND, REPORT = b"F", b"S", b"R"
