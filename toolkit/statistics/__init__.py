"""What may be concluded: seeds are participants, words and pictures are items."""
