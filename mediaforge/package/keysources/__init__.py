"""Keys that others make, or that others get from us: CPIX documents, SPEKE and Widevine key servers, PlayReady key seeds."""
