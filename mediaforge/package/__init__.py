"""The second room: renditions become one encrypted CMAF package, verified before it is published."""
