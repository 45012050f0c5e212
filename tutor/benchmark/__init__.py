"""Speed against named baselines, all in one run: `python -m tutor bench`, `make bench` for docs/speed.md."""
