"""Quality as figures on a committed labelled set, every failure listed."""
