"""Quality control of masters: one decode (looking, reading, flashes), judged against limits that are data (judging)."""
