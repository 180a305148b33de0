"""What goes over the pipe between stream.py and its child: a record is this length, a JSON head, and the bytes it counts."""

import struct

LENGTH = struct.Struct("<I")
