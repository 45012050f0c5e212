"""Which sentences of the notes make the answer: the grammar of what may be said, and all evidence for what should be."""
