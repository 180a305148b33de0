"""The stairs: RQ jobs, workers and the embedded queue server. Ids in, ids out."""
