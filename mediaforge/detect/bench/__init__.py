"""How well copies are found: transformed queries of any folder of clips, judged beside the peers."""
